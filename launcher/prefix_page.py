"""The script that runs first in every page of an oTree below a path: addresses that scripts make get the prefix, too.

What the browser does not let anybody wrap (`location`, url() of styles, imports of modules) is left to the front door's
redirect by Referer. All paths are one origin for the browser: storage is parted by prefix here, so that the same
project in two instances does not find its neighbour's values; that is order, not protection.
"""
import json

SCRIPT = r"""
(function (prefix, window) {
  'use strict';
  if (window.arboretumPrefix) return;
  window.arboretumPrefix = prefix;
  var document = window.document;
  // The same address below the prefix; other hosts, other schemes and what is there already stay as they were given.
  function below(given) {
    if (given === null || given === undefined || given === '') return given;
    var url;
    try { url = new URL(given, document.baseURI); } catch (error) { return given; }
    if (url.host !== window.location.host || !/^(https?|wss?):$/.test(url.protocol)) return given;
    if (url.pathname === prefix || url.pathname.indexOf(prefix + '/') === 0) return given;
    url.pathname = prefix + url.pathname;
    return url.href;
  }
  function belowEach(candidates) {
    return String(candidates).replace(/(^\s*|,\s*)(\/[^\s,]*)/g, function (all, before, url) { return before + below(url); });
  }
  var addresses = /(\s(?:src|href|action|formaction|poster|background)\s*=\s*["']?)(\/[^\s"'>]*)/gi;
  function belowIn(markup) {
    if (typeof markup !== 'string' || markup.indexOf('/') < 0) return markup;
    return markup.replace(/<[a-z][^>]*>/gi, function (tag) {
      return tag.replace(addresses, function (all, before, url) { return before + below(url); });
    });
  }
  function method(owner, name, at, change) {
    var original = owner && owner[name];
    if (typeof original !== 'function') return;
    owner[name] = function () {
      var given = Array.prototype.slice.call(arguments);
      if (given.length > at) given[at] = (change || below)(given[at]);
      return original.apply(this, given);
    };
  }
  function property(kind, name, change) {
    var found = window[kind] && Object.getOwnPropertyDescriptor(window[kind].prototype, name);
    if (!found || !found.set) return;
    Object.defineProperty(window[kind].prototype, name, {
      configurable: true, enumerable: found.enumerable, get: found.get,
      set: function (value) { found.set.call(this, (change || below)(value)); },
    });
  }
  ['WebSocket', 'EventSource', 'Worker', 'SharedWorker', 'Request', 'Audio'].forEach(function (name) {
    if (!window[name]) return;
    window[name] = new Proxy(window[name], {
      construct: function (kind, given, self) {
        if (given.length) given[0] = below(given[0]);
        return Reflect.construct(kind, given, self);
      },
    });
  });
  method(window, 'fetch', 0);
  method(window, 'open', 0);
  method(window.XMLHttpRequest && window.XMLHttpRequest.prototype, 'open', 1);
  method(window.Navigator && window.Navigator.prototype, 'sendBeacon', 0);
  method(window.History && window.History.prototype, 'pushState', 2);
  method(window.History && window.History.prototype, 'replaceState', 2);
  [
    ['HTMLImageElement', 'src'], ['HTMLScriptElement', 'src'], ['HTMLIFrameElement', 'src'], ['HTMLMediaElement', 'src'],
    ['HTMLSourceElement', 'src'], ['HTMLTrackElement', 'src'], ['HTMLEmbedElement', 'src'], ['HTMLInputElement', 'src'],
    ['HTMLLinkElement', 'href'], ['HTMLAnchorElement', 'href'], ['HTMLAreaElement', 'href'], ['HTMLBaseElement', 'href'],
    ['HTMLFormElement', 'action'], ['HTMLInputElement', 'formAction'], ['HTMLButtonElement', 'formAction'],
    ['HTMLVideoElement', 'poster'], ['HTMLObjectElement', 'data'],
  ].forEach(function (one) { property(one[0], one[1]); });
  property('HTMLImageElement', 'srcset', belowEach);
  property('HTMLSourceElement', 'srcset', belowEach);
  property('Element', 'innerHTML', belowIn);
  property('Element', 'outerHTML', belowIn);
  method(window.Element.prototype, 'insertAdjacentHTML', 1, belowIn);
  method(window.Document.prototype, 'write', 0, belowIn);
  method(window.Document.prototype, 'writeln', 0, belowIn);
  method(window.Range && window.Range.prototype, 'createContextualFragment', 0, belowIn);
  property('Document', 'cookie', function (text) { return String(text).replace(/(;\s*path=)\/(?=\s*(?:;|$))/i, '$1' + prefix + '/'); });
  var setAttribute = window.Element.prototype.setAttribute;
  window.Element.prototype.setAttribute = function (name, value) {
    var is = String(name).toLowerCase();
    if (/^(?:src|href|action|formaction|poster|background|xlink:href)$/.test(is)) value = below(value);
    else if (is === 'data' && this.localName === 'object') value = below(value);
    else if (is === 'srcset') value = belowEach(value);
    return setAttribute.call(this, name, value);
  };
  method(window.Element.prototype, 'setAttributeNS', 2, function (value) { return /^\/[^\s]*$/.test(value) ? below(value) : value; });
  // What came into the page in a way not named above is put right at the last moment.
  function correct(element, name) {
    var value = element && element.getAttribute(name);
    if (value && below(value) !== value) element.setAttribute(name, value);
  }
  window.addEventListener('click', function (event) {
    correct(event.target.closest && event.target.closest('a[href], area[href]'), 'href');
  }, true);
  window.addEventListener('submit', function (event) {
    correct(event.target, 'action');
    correct(event.submitter, 'formaction');
  }, true);
  var submit = window.HTMLFormElement.prototype.submit;
  window.HTMLFormElement.prototype.submit = function () {
    correct(this, 'action');
    return submit.call(this);
  };
  ['localStorage', 'sessionStorage'].forEach(function (name) {
    var real;
    try { real = window[name]; } catch (error) { return; }
    if (!real) return;
    var mark = prefix + ' ';
    function names() {
      return Object.keys(real).filter(function (key) { return key.indexOf(mark) === 0; }).map(function (key) { return key.slice(mark.length); });
    }
    var own = Object.create(window.Storage.prototype, {
      getItem: { value: function (key) { return real.getItem(mark + key); } },
      setItem: { value: function (key, value) { real.setItem(mark + key, value); } },
      removeItem: { value: function (key) { real.removeItem(mark + key); } },
      clear: { value: function () { names().forEach(own.removeItem); } },
      key: { value: function (at) { var key = names()[at]; return key === undefined ? null : key; } },
      length: { get: function () { return names().length; } },
    });
    var parted = new Proxy(Object.create(own), {
      get: function (target, key) {
        if (typeof key === 'symbol' || key in own) return own[key];
        var value = own.getItem(key);
        return value === null ? undefined : value;
      },
      set: function (target, key, value) { own.setItem(key, value); return true; },
      has: function (target, key) { return key in own || (typeof key === 'string' && own.getItem(key) !== null); },
      deleteProperty: function (target, key) { own.removeItem(key); return true; },
      ownKeys: names,
      getOwnPropertyDescriptor: function (target, key) {
        var value = typeof key === 'string' ? own.getItem(key) : null;
        return value === null ? undefined : { value: value, writable: true, enumerable: true, configurable: true };
      },
    });
    Object.defineProperty(window, name, { configurable: true, enumerable: true, get: function () { return parted; } });
  });
})
"""


def script_tag(prefix):
    """The script for a page below `prefix`, without indentation and comments, as bytes."""
    lines = [line.strip() for line in SCRIPT.strip().splitlines()]
    code = '\n'.join(line for line in lines if not line.startswith('//'))
    return ('<script>%s(%s, window);</script>' % (code, json.dumps(prefix).replace('<', '\\u003c'))).encode()
