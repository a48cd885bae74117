"""Pages of reports as tests read them."""

import json
import re
from html import unescape
from html.parser import HTMLParser

VOID = {"meta", "link", "input", "br", "path", "line", "circle", "hr"}


class Page(HTMLParser):
    """Checks that elements nest, and collects attributes and the text of tables."""

    def __init__(self, text):
        super().__init__()
        self.open, self.links, self.tags = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href", "action", "data", "poster")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])


def words(page, table):
    """The rows of a table of the page as lists of cell texts."""
    inside = re.search(rf'<table id="{table}".*?</table>', page, re.S)[0]
    rows = re.findall(r"<tr.*?</tr>", inside, re.S)
    cells = [re.findall(r"<(?:td|th)\b.*?</(?:td|th)>", row, re.S) for row in rows]
    return [[" ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in row] for row in cells]
