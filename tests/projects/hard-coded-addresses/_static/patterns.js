// Each pattern becomes a line: its name, and `works`, or `fails` with what is known of it (also after 25 seconds of silence).
function pattern(name, attempt) {
  const line = document.createElement('li');
  line.dataset.pattern = name;
  line.textContent = name + ': waiting';
  document.getElementById('results').append(line);
  const done = (works, why) => {
    if (line.dataset.result) return;
    line.dataset.result = works ? 'works' : why ? 'fails: ' + why : 'fails';
    line.textContent = name + ': ' + line.dataset.result;
  };
  setTimeout(done, 25000, false, 'silence');
  try {
    attempt(done);
  } catch (error) {
    done(false);
  }
}
function loads(element, done, begin) {
  if (!begin && element.complete) return done(element.naturalWidth === 20);
  element.addEventListener('load', () => done(element.naturalWidth === undefined || element.naturalWidth === 20));
  element.addEventListener('error', () => done(false));
  if (begin) begin(element);
}
function opens(socket, done) {
  socket.onopen = () => done(true);
  socket.onerror = () => done(false);
}
function isWide(id, done) {
  const look = () => (document.getElementById(id).offsetWidth >= 20 ? done(true) : setTimeout(look, 100));
  look();
}
function isFetched(part, done) {
  const look = () => {
    // Styles of a page behind another one are worked out when somebody asks for a size.
    void document.body.offsetWidth;
    const found = performance.getEntriesByType('resource').find((one) => one.name.includes(part));
    return found ? done(found.responseStatus === 200, 'status ' + found.responseStatus + ' of ' + found.name) : setTimeout(look, 100);
  };
  look();
}
function isFramed(name, done) {
  const look = () => (framed[name] ? done(true) : setTimeout(look, 100));
  look();
}
const append = (element) => document.body.appendChild(element);
const put = (set) => (done) => loads(new Image(), done, set);

pattern('<img src>', (done) => loads(document.getElementById('img-src'), done));
pattern('<img src> without quotes', (done) => loads(document.getElementById('img-unquoted'), done));
pattern('<img srcset>', (done) => loads(document.getElementById('img-srcset'), done));
pattern('<object data>', (done) => isFetched('dot.png?object', done));
pattern('<input type=image>', (done) => isFetched('dot.png?input', done));
pattern('<video poster>', (done) => isFetched('dot.png?poster', done));
pattern('<link href>', (done) => loads(document.createElement('link'), done, (link) => {
  link.rel = 'stylesheet';
  link.href = '/static/look.css?link';
  append(link);
}));
pattern('<style> url()', (done) => isWide('rules-inline', done));
pattern('url() in a .css file', (done) => isWide('rules-sheet', done));
pattern('style="url()"', (done) => isFetched('dot.png?style-attribute', done));
pattern('<script src>', (done) => {
  const look = () => ((window.loadedBy || []).includes('script-src') ? done(true) : setTimeout(look, 100));
  look();
});
pattern('<iframe src>', (done) => isFramed('iframe-src', done));
pattern('<form action>', (done) => {
  const frame = document.createElement('iframe');
  frame.src = '/static/form.html';
  append(frame);
  isFramed('form-action=1', done);
});
pattern('new Image().src', put((image) => (image.src = '/static/dot.png?property')));
pattern('setAttribute', put((image) => image.setAttribute('src', '/static/dot.png?attribute')));
pattern('img.srcset', put((image) => (image.srcset = '/static/dot.png?srcset-property 1x')));
pattern('whole address', put((image) => (image.src = location.origin + '/static/dot.png?whole')));
pattern('innerHTML', (done) => {
  const place = document.getElementById('place');
  place.innerHTML = '<b>x</b><img alt="a" src="/static/dot.png?inner">';
  loads(place.lastChild, done);
});
pattern('insertAdjacentHTML', (done) => {
  const place = document.getElementById('place');
  place.insertAdjacentHTML('beforeend', '<img src="/static/dot.png?adjacent">');
  loads(place.lastChild, done);
});
pattern('jQuery html()', (done) => loads($('<span>').html('<img src="/static/dot.png?jquery">').children()[0], done));
pattern('jQuery get()', (done) => $.get('/static/answer.json?jquery').then((answer) => done(answer.answer === 42), () => done(false)));
pattern('script.src', (done) => loads(document.createElement('script'), done, (script) => {
  script.src = '/static/loaded.js?property';
  append(script);
}));
pattern('iframe.src', (done) => {
  const frame = document.createElement('iframe');
  frame.src = '/static/frame.html?iframe-property';
  append(frame);
  isFramed('iframe-property', done);
});
pattern('form.action, form.submit()', (done) => {
  const form = append(document.createElement('form'));
  form.action = '/static/frame.html';
  form.target = 'target';
  form.append(Object.assign(document.createElement('input'), { type: 'hidden', name: 'form-property', value: '1' }));
  form.submit();
  isFramed('form-property=1', done);
});
pattern('a.href, a.click()', (done) => {
  append(Object.assign(document.createElement('iframe'), { name: 'linked' }));
  const link = append(Object.assign(document.createElement('a'), { href: '/static/frame.html?linked', target: 'linked' }));
  link.click();
  isFramed('linked', done);
});
pattern('fetch', (done) => fetch('/static/answer.json?fetch').then((answer) => answer.json()).then(({ answer }) => done(answer === 42)));
pattern('fetch(new Request)', (done) => fetch(new Request('/static/answer.json?request')).then((answer) => done(answer.ok)));
pattern('fetch(new URL)', (done) => fetch(new URL('/static/answer.json?url', location.href)).then((answer) => done(answer.ok)));
pattern('XMLHttpRequest', (done) => {
  const request = new XMLHttpRequest();
  request.open('GET', '/static/answer.json?xhr');
  request.onloadend = () => done(request.status === 200);
  request.send();
});
pattern('EventSource', (done) => {
  const source = new EventSource('/static/events.sse');
  source.onmessage = ({ data }) => {
    source.close();
    done(data === 'hello');
  };
});
pattern("WebSocket ws://' + host", (done) =>
  opens(new WebSocket('ws://' + window.location.host + '/wait_for_session_in_room?room_name=online&participant_label=x&tab_unique_id=file'), done));
pattern('Worker', (done) => (new Worker('/static/worker.js').onmessage = ({ data }) => done(data === 'hello')));
pattern('Audio', (done) => {
  const sound = new Audio('/static/tone.wav?constructor');
  sound.oncanplay = () => done(true);
  sound.onerror = () => done(false);
});
pattern('audio.src', (done) => {
  const sound = document.createElement('audio');
  sound.oncanplay = () => done(true);
  sound.onerror = () => done(false);
  sound.src = '/static/tone.wav?property';
});
pattern('sendBeacon', (done) => done(navigator.sendBeacon('/static/answer.json?beacon', 'x')));
pattern('import()', (done) => import('/static/module.js').then(({ answer }) => done(answer === 42), () => done(false)));
pattern('style.background', (done) => {
  document.getElementById('place').style.background = 'url(/static/dot.png?style-property)';
  isFetched('dot.png?style-property', done);
});
pattern('history.pushState', (done) => {
  const here = location.href;
  history.pushState({}, '', '/p/pushed');
  const there = location.pathname;
  history.replaceState({}, '', here);
  done(there.endsWith('/p/pushed') && there.split('/').slice(0, 3).join('/') === new URL(here).pathname.split('/').slice(0, 3).join('/'));
});
pattern('document.cookie path=/', (done) => {
  document.cookie = 'taste=' + location.pathname.split('/')[2] + '; path=/';
  done(document.cookie.includes('taste=' + location.pathname.split('/')[2]));
});
pattern('localStorage', (done) => {
  const mine = location.pathname.split('/')[2];
  const found = localStorage.getItem('whose') || localStorage.whose;
  localStorage.whose = mine;
  done((!found || found === mine) && localStorage.getItem('whose') === mine && Object.keys(localStorage).join() === 'whose');
});
