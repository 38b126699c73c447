"""HTML of an oTree below a path: addresses in its tags, styles and inline scripts, and our script before all else.

Works on bytes: every encoding that HTML allows writes these marks as ASCII does. Addresses that only scripts know are
left to the script (`prefix_page.py`), and what that cannot reach to the front door's redirect by Referer.
"""
import re

from arboretum_launcher.prefix_page import script_tag

BEGINNING = re.compile(rb'<(?:!--|[a-z])', re.IGNORECASE)
QUOTES = re.compile(rb'[>"\']')
# More in one tag, and it is no tag but a stray quote: pages of any size and shape are read in one go.
VALUES_IN_A_TAG = 200
RAW = {name: re.compile(rb'<%s[\s/>]' % name, re.IGNORECASE) for name in (b'script', b'style')}
ADDRESS = re.compile(rb'(?P<before>\s(?:src|href|action|formaction|poster|background|xlink:href)\s*=\s*["\']?)(?P<url>/[^\s"\'>]*)', re.IGNORECASE)
OBJECT_DATA = re.compile(rb'(?P<before>^<object\b[^>]*?\sdata\s*=\s*["\']?)(?P<url>/[^\s"\'>]*)', re.IGNORECASE)
CANDIDATES = re.compile(rb'(\s(?:image)?srcset\s*=\s*)("[^"]*"|\'[^\']*\')', re.IGNORECASE)
CANDIDATE = re.compile(rb'(?P<before>(?:^["\']|,)\s*)(?P<url>/[^\s,"\']*)')
HANDLER = re.compile(rb'\son[a-z]+\s*=\s*(?:"[^"]*"|\'[^\']*\')', re.IGNORECASE)
REFRESH = re.compile(rb'(?P<before>\scontent\s*=\s*["\']?\s*[\d.]+\s*[;,]\s*url\s*=\s*["\']?)(?P<url>/[^\s"\'>]*)', re.IGNORECASE)
STYLE_URL = re.compile(rb'(?P<before>\burl\(\s*(?:["\']|&quot;|&#39;)?)(?P<url>/[^\s"\')&]*)', re.IGNORECASE)
IMPORT = re.compile(rb'(?P<before>@import\s+["\'])(?P<url>/[^"\']*)', re.IGNORECASE)
HEAD = re.compile(rb'<head[\s>]', re.IGNORECASE)
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
        return self._with_script(b''.join(self._pieces(Document(body))))

    def _pieces(self, document):
        body, at = document.body, 0
        while at < len(body):
            found = BEGINNING.search(body, at)
            begin = found.start() if found else len(body)
            yield body[at:begin]
            at = document.end_of_tag(begin)
            if body.startswith(b'<!--', begin) or not at:
                at = document.end_of_comment(begin) or begin + 1
                yield body[begin:at]
                continue
            yield self._tag_text(body[begin:at])
            for name, change in ((b'script', self._literals), (b'style', self._styles)):
                if RAW[name].match(body, begin):
                    begin, at = at, document.start_of_end(name, at)
                    yield change(body[begin:at])

    def _tag_text(self, tag):
        if b'/' not in tag:
            return tag
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
        head = HEAD.search(body)
        at = Document(body).end_of_tag(head.start()) if head else OPENING.match(body).end()
        return body[:at] + self._tag + body[at:]


class Document:
    """Where tags and comments end; what was once not found is not looked for again."""

    def __init__(self, body):
        self.body = body
        self._lower = body.lower()
        self._missing = set()

    def end_of_tag(self, begin):
        """The place behind the tag; 0 when it does not end."""
        first = self._find(b'>', begin)
        if first < 0:
            return 0
        at = begin
        for _ in range(VALUES_IN_A_TAG):
            mark = QUOTES.search(self.body, at)
            if mark is None or mark.group() == b'>':
                return mark.end() if mark else first + 1
            at = self._find(mark.group(), mark.end()) + 1
            if not at:
                break
        return first + 1

    def end_of_comment(self, begin):
        place = self._find(b'-->', begin)
        return place + 3 if place >= 0 else 0

    def start_of_end(self, name, at):
        """Where `</name` stands; the end of the document when it does not."""
        place = self._find(b'</' + name, at)
        return place if place >= 0 else len(self.body)

    def _find(self, mark, at):
        place = -1 if mark in self._missing else self._lower.find(mark, at)
        if place < 0:
            self._missing.add(mark)
        return place
