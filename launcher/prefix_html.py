"""HTML of an oTree below a path: addresses in its tags, styles and inline scripts, and our script before all else.

Works on bytes: every encoding that HTML allows writes these marks as ASCII does. Addresses that only scripts know are
left to the script (`prefix_page.py`), and what that cannot reach to the front door's redirect by Referer.
"""
import re

from arboretum_launcher.prefix_page import script_tag

PIECE = re.compile(
    rb'<!--.*?-->'
    rb'|<script\b(?P<script>[^>]*)>(?P<code>.*?)(?=</script)'
    rb'|<style\b[^>]*>(?P<rules>.*?)(?=</style)'
    rb'|<[a-z](?:[^>"\']|"[^"]*"|\'[^\']*\')*>'
    rb'|<[a-z][^>]*>',
    re.IGNORECASE | re.DOTALL,
)
ADDRESS = re.compile(rb'(?P<before>\s(?:src|href|action|formaction|poster|background|xlink:href)\s*=\s*["\']?)(?P<url>/[^\s"\'>]*)', re.IGNORECASE)
OBJECT_DATA = re.compile(rb'(?P<before>^<object\b[^>]*?\sdata\s*=\s*["\']?)(?P<url>/[^\s"\'>]*)', re.IGNORECASE)
CANDIDATES = re.compile(rb'(\s(?:image)?srcset\s*=\s*)("[^"]*"|\'[^\']*\')', re.IGNORECASE)
CANDIDATE = re.compile(rb'(?P<before>(?:^["\']|,)\s*)(?P<url>/[^\s,"\']*)')
HANDLER = re.compile(rb'\son[a-z]+\s*=\s*(?:"[^"]*"|\'[^\']*\')', re.IGNORECASE)
REFRESH = re.compile(rb'(?P<before>\scontent\s*=\s*["\']?\s*[\d.]+\s*[;,]\s*url\s*=\s*["\']?)(?P<url>/[^\s"\'>]*)', re.IGNORECASE)
STYLE_URL = re.compile(rb'(?P<before>\burl\(\s*(?:["\']|&quot;|&#39;)?)(?P<url>/[^\s"\')&]*)', re.IGNORECASE)
IMPORT = re.compile(rb'(?P<before>@import\s+["\'])(?P<url>/[^"\']*)', re.IGNORECASE)
HEAD = re.compile(rb'<head\b[^>]*>', re.IGNORECASE)
OPENING = re.compile(rb'\s*(?:<!doctype[^>]*>\s*)?(?:<html\b[^>]*>)?', re.IGNORECASE)


class Rewriter:
    """Knows the prefix and the first segments of oTree's own addresses, by which it recognises them in scripts."""

    def __init__(self, prefix, segments):
        self._prefix = prefix.encode()
        self._tag = script_tag(prefix)
        names = b'|'.join(re.escape(name.encode()) for name in sorted(segments) if name and '{' not in name)
        # A string that begins like one of oTree's addresses. Behind a `+` it is the end of an address whose beginning
        # decides, unless that is this very host.
        self._literal = re.compile(
            rb'(?P<joined>(?:(?P<own>\b(?:host|hostname|origin))\s*)?\+\s*)?(?P<quote>["\'`]|\bhost\}|\borigin\})(?P<url>/(?:%s)(?=[/?#"\'`]))' % names
        )

    def below(self, path):
        """The path with the prefix, once: `//host` and what is below it already stay."""
        rest = path[len(self._prefix) :]
        is_there = path.startswith(self._prefix) and (not rest or rest[:1] in b'/?#')
        return path if is_there or not path.startswith(b'/') or path.startswith(b'//') else self._prefix + path

    def rewrite(self, body):
        """The document with every address below the prefix, and with our script where it is a page."""
        return self._with_script(PIECE.sub(self._piece, body))

    def _piece(self, found):
        text = found.group(0)
        if text.startswith(b'<!--'):
            return text
        if found.group('code') is not None:
            at = found.start('code') - found.start()
            return self._tag_text(text[:at]) + self._literals(text[at:])
        if found.group('rules') is not None:
            at = found.start('rules') - found.start()
            return text[:at] + self._styles(text[at:])
        return self._tag_text(text)

    def _tag_text(self, tag):
        tag = ADDRESS.sub(self._put, tag)
        lower = tag.lower()
        if b'srcset' in lower:
            tag = CANDIDATES.sub(lambda found: found.group(1) + CANDIDATE.sub(self._put, found.group(2)), tag)
        if lower.startswith(b'<object'):
            tag = OBJECT_DATA.sub(self._put, tag)
        if lower.startswith(b'<meta'):
            tag = REFRESH.sub(self._put, tag)
        if b'url(' in lower:
            tag = STYLE_URL.sub(self._put, tag)
        if b' on' in lower:
            tag = HANDLER.sub(lambda found: self._literals(found.group(0)), tag)
        return tag

    def _styles(self, rules):
        return IMPORT.sub(self._put, STYLE_URL.sub(self._put, rules))

    def _literals(self, code):
        return self._literal.sub(self._put_literal, code)

    def _put_literal(self, found):
        if found.group('joined') and not found.group('own'):
            return found.group(0)
        at = found.start('url') - found.start()
        return found.group(0)[:at] + self.below(found.group('url'))

    def _put(self, found):
        return found.group('before') + self.below(found.group('url'))

    def _with_script(self, body):
        if not body.lstrip(b'\xef\xbb\xbf \t\r\n').startswith(b'<'):
            return body
        place = HEAD.search(body) or OPENING.match(body)
        return body[: place.end()] + self._tag + body[place.end() :]
