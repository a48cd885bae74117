"""Which charset a text without a valid label most likely is in.

Records are ASCII but for names, so there is little to count: a few hanzi or kana. Each candidate is scored by what its
characters are: words of game records, the common characters of each standard (they stand in its first level), kana
where they belong, and against it bytes without meaning and characters that nobody uses.
"""

import re

MULTIBYTE = {"GB18030": "gb18030", "Big5": "big5hkscs", "Shift_JIS": "cp932", "EUC-JP": "euc_jp", "EUC-KR": "cp949"}
_SAMPLE = 1 << 14  # bytes that are looked at, of the runs around bytes above 127
_SEARCHED = 1 << 20

_HAN = "段第局黑白目先子半年月日名人王"
_KANJI = _HAN + "押勝囲碁戦期黒込番級本因坊棋聖座天元十予選手合田藤山井木村小林大石武宮趙治勲"
_SIMPLIFIED = _HAN + "中盘胜围棋赛轮贴让杯李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗业余职业决国际对战"
_TRADITIONAL = _HAN + "中盤勝圍棋賽輪貼讓盃李張劉陳楊趙黃周吳徐孫胡朱高林何郭馬羅業餘職業決國際對戰"
_HANGUL = "단승국전급배제본선결불계바둑대회기이김박조최정강유창호세돌한중일흑백덤집반년월"
_CYRILLIC = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъОЕАИНТСРВЛКМДП"
_FREQUENT = {"gb18030": _SIMPLIFIED, "big5hkscs": _TRADITIONAL, "cp932": _KANJI, "euc_jp": _KANJI, "cp949": _HANGUL}
_FREQUENT |= {"cp1251": _CYRILLIC, "koi8_r": _CYRILLIC}
# Leading bytes of the first level, the common characters, of each standard.
_FIRST_LEVEL = {"gb18030": (0xB0, 0xD7), "big5hkscs": (0xA4, 0xC6), "cp932": (0x88, 0x98), "euc_jp": (0xB0, 0xCF)}


def likeliest(data: bytes, declared: tuple[str, str] | None) -> tuple[str, str]:
    """Name and codec of the charset in which `data` reads best; the `declared` one has a start."""
    runs = re.findall(rb"[\x40-\x7e]?[\x80-\xff][\x21-\xff]*", data[:_SEARCHED])
    sample = b"\n".join(runs)[:_SAMPLE]
    scores = {(name, codec): score(sample, codec) for name, codec in MULTIBYTE.items()}
    scores["windows-1251", "cp1251"] = score(sample, "cp1251") - 4 * western_share(sample)
    western = declared if declared and declared[1] in ("latin-1", "cp1252") else latin(data)
    scores[western] = latin_score(sample)
    if declared is not None:
        scores[declared] = scores.get(declared, score(sample, declared[1])) + 0.5
    return max(scores, key=lambda charset: scores[charset])


def latin(data: bytes) -> tuple[str, str]:
    """windows-1252, which most call ISO-8859-1, or the latter where a byte has no meaning in the former."""
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        return "ISO-8859-1", "latin-1"
    return "windows-1252", "cp1252"


def score(sample: bytes, codec: str) -> float:
    """How well `sample` reads in `codec`: below 0 for nonsense, 1 to 3 for text."""
    characters = [c for c in sample.decode(codec, "replace") if c > "\x7f"]
    if not characters:
        return 0.0
    return sum(_points(c, codec) for c in characters) / len(characters)


def _points(c: str, codec: str) -> float:
    """What one character says for the codec."""
    if c in _FREQUENT.get(codec, ""):
        return 1.5 if codec == "cp1251" else 3.0  # an alphabet's letters say less than a word's character
    if c == "\ufffd" or "\ue000" <= c <= "\uf8ff":  # no character, or one for private use
        return -6.0
    if "\u3041" <= c <= "\u30ff":  # kana
        return 1.5 if codec in ("cp932", "euc_jp") else 0.0
    if "\uff61" <= c <= "\uff9f":  # half-width kana: how EUC looks in Shift_JIS
        return -0.5
    if "\uac00" <= c <= "\ud7a3":  # Hangul, of which KS X 1001 has the usual ones
        return 0.6 if len(c.encode("euc_kr", "ignore")) == 2 else -1.0
    if "\u4e00" <= c <= "\u9fff":
        low, high = _FIRST_LEVEL.get(codec, (1, 0))
        return 0.8 if low <= c.encode(codec, "replace")[0] <= high else -0.8
    return 0.3 if "\u3000" <= c <= "\u303f" or "\uff01" <= c <= "\uff5e" or c in "·×“”‘’…—" else -1.0


def western_share(sample: bytes) -> float:
    """The share of bytes above 127 that stand alone or beside an ASCII letter, as accented letters do."""
    western = total = 0
    for run in re.finditer(rb"[\x80-\xff]+", sample):
        length = run.end() - run.start()
        beside = sample[max(run.start() - 1, 0) : run.start()] + sample[run.end() : run.end() + 1]
        total += length
        if length == 1 or (length == 2 and any(chr(c).isalpha() for c in beside)):
            western += length
    return western / max(total, 1)


def latin_score(sample: bytes) -> float:
    """How much the bytes above 127 look like accented letters, or like the quotes of windows-1252."""
    high = re.findall(rb"[\x80-\xff]", sample)
    letters = len([byte for byte in high if byte >= b"\xc0"]) / max(len(high), 1)
    return western_share(sample) * (0.8 + 1.1 * letters)
