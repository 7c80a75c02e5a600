"""Makes the PDFs in tests/fixtures/printed with what each must give, its gold file.

    pip install typst pypdfium2 pikepdf pillow    # and `chromium` with the Noto CJK fonts
    python tests/peers/printed.py

All words are made here. A gold file has a line `# title | authors | date` for each article, and one for each of its
parts: the page on which it begins, `h` with its level for a heading, `p` for a paragraph, `r` for a table's row, and
its words. `! reason` is what must be reported. The pages of parts are found with PDFium, not with what is tested.
"""

import io
import pathlib
import subprocess
import tempfile
import textwrap

import pikepdf
import pypdfium2
import typst
from PIL import Image, ImageDraw

HERE = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "printed"
DAY = "D:20240517090000Z"

EN = [
    "The ferry leaves the northern landing every twenty minutes until the river rises above the third mark.",
    "In the spring of 2019 the council bought two barges, and neither of them has missed a working day since.",
    "Most passengers carry baskets of vegetables, because the market on the far bank opens before the shops do.",
    "A pilot needs four years of training, of which one is spent on nothing but the sandbanks near the old mill.",
    "When fog closes the channel, a bell on the pier is rung by hand every ninety seconds.",
    "The timetable was printed for the first time in 1987 and has been corrected in pencil ever since.",
    "Schoolchildren cross free of charge, and so do postmen, midwives and anyone who brings a ladder.",
    "Engineers measured the current at eleven places and found it strongest where the water looks calm.",
    "Repairs are paid for by a small levy on every crate of fish that is landed below the bridge.",
    "Nobody remembers who planted the willows, but their roots have held the embankment through nine floods.",
    "The ticket office keeps a list of lost umbrellas that is longer than the list of its passengers.",
    "In winter the first boat carries bread, the second carries newspapers, and only the third carries people.",
]
ZH = [
    "渡口的早班船六点开出，船上多半是挑着菜筐的农户。",
    "去年汛期，水位三次漫过石阶，值班员把缆绳加长了一倍。",
    "镇里用两年时间修好了沿河步道，晚饭后散步的人一天比一天多。",
    "老船工说，看水先看柳树，枝条朝哪边摆，船头就该朝哪边偏。",
    "修船的木料从上游运来，一根杉木要在水里泡足四十天。",
    "学校把自然课搬到了码头上，孩子们学会了辨认十二种水鸟。",
    "统计表明，二〇二三年渡口共运送旅客三十一万人次，比上年增加一成半。",
    "桥建成以后渡船并没有停开，因为对岸的集市离渡口更近。",
    "灯塔改用太阳能之后，每年省下电费两万六千元。",
    "值班室里有一本旧账，记着六十年来每一场大雾的时辰。",
    "茶棚的主人不收过路人的水钱，只请他们把碗放回原处。",
    "新来的技术员用无人机量了河床，发现主航道向南移了十九米。",
    "过去等船要看天色，现在在手机上就能看到船到了哪里。",
    "集市上的竹器仍由三户人家编织，手艺传到了第五代。",
]
JA = [
    "川沿いの道は朝の六時に開き、最初に通るのは豆腐屋の自転車である。",
    "渡し舟は昭和の終わりに一度なくなり、十年後に町の人の手で戻ってきた。",
    "船頭は水の色を見て、その日の深さを言い当てるという。",
    "橋ができても舟に乗る人が減らないのは、市場が岸のすぐそばにあるからだ。",
    "霧の深い日には、桟橋の鐘が九十秒ごとに鳴らされる。",
]
ZH_HANT = [
    "渡口的早班船六點開出，船上多半是挑著菜筐的農戶。",
    "去年汛期，水位三次漫過石階，值班員把纜繩加長了一倍。",
    "老船工說，看水先看柳樹，枝條朝哪邊擺，船頭就該朝哪邊偏。",
    "橋建成以後渡船並沒有停開，因為對岸的市集離渡口更近。",
    "燈塔改用太陽能之後，每年省下電費兩萬六千元。",
]
KO = [
    "나루터의 첫 배는 여섯 시에 떠나고 손님은 대부분 채소를 이고 온다.",
    "지난해 여름 물이 세 번이나 돌계단을 넘어서 밧줄을 두 배로 늘렸다.",
    "다리가 놓인 뒤에도 배는 멈추지 않았다, 장터가 나루에서 가깝기 때문이다.",
    "등대는 햇빛으로 불을 켜서 해마다 전기값을 아낀다.",
]


def pages_of(pdf, parts):
    """The page on which each part begins, as PDFium sees it."""
    squeeze = lambda text: "".join(c for c in text if c.isalnum())
    texts = [squeeze(page.get_textpage().get_text_range()) for page in pypdfium2.PdfDocument(pdf)]
    found, at, offset = [], 0, 0
    for part in parts:
        # A word may be broken at a page's end: a few characters are enough.
        head = squeeze(part)[:14]
        place = next((page for page in range(at, len(texts)) if head in texts[page]), None)
        assert place is not None, (head, at)
        at = place
        found.append(place + 1)
    return found


def gold(name, articles, reports=()):
    pdf = HERE / f"{name}.pdf"
    lines = [f"! {reason}" for reason in reports]
    for title, authors, date, parts in articles:
        lines.append(f"# {title} | {'; '.join(authors)} | {date}")
        pages = pages_of(pdf, [words for _, words in parts])
        lines += [f"{page} {kind} {words}" for page, (kind, words) in zip(pages, parts)]
    pdf.with_suffix(".gold.txt").write_text("\n".join(lines) + "\n")


def describe(pdf, title=None, author=None, day=DAY):
    """Writes the document's information, and nothing that changes from run to run."""
    with pikepdf.open(pdf, allow_overwriting_input=True) as file:
        for key in list(file.docinfo.keys()):
            del file.docinfo[key]
        for key, value in {"/Title": title, "/Author": author, "/CreationDate": day}.items():
            if value:
                file.docinfo[key] = value
        if "/Metadata" in file.Root:
            del file.Root.Metadata
        file.save(pdf, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate,
                  recompress_flate=True)


def paragraph(pool, start, count, joiner):
    return joiner.join(pool[(start * 5 + at * 11) % len(pool)] for at in range(count))


def set_with_typst(name, source, **about):
    (HERE / f"{name}.pdf").write_bytes(typst.compile(source.encode()))
    describe(HERE / f"{name}.pdf", **about)


def set_with_chromium(name, html, **about):
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder) / "page.html"
        page.write_text(html)
        subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
                        f"--print-to-pdf={HERE / (name + '.pdf')}", page.as_uri()], check=True, capture_output=True)
    describe(HERE / f"{name}.pdf", **about)


def report(name, sections):
    """A report in English: numbered headings, a table, footnotes, running head, page numbers, broken words."""
    parts, body, notes = [("h1", "The Ferries of the Lower River")], [], []
    for section in range(sections):
        heading = f"{section + 1} {['Boats and their crews', 'Water and weather', 'Money', 'The landing'][section % 4]} in part {section + 1}"
        body.append(f"= {heading}")
        parts.append(("h2", heading))
        for at in range(4):
            words = f"Note {section + 1}.{at + 1} begins here. " + paragraph(EN, section * 4 + at, 6, " ")
            parts.append(("p", words))
            body.append(words)
        if section % 5 == 1:
            rows = [("Boat", "Seats", "Built"), (f"Heron {section}", "48", "2019"), (f"Plover {section}", "36", "2004")]
            cells = ", ".join(f"[{cell}]" for row in rows for cell in row)
            body.append(f"#table(columns: (5cm, 3cm, 3cm), stroke: none, {cells})")
            parts += [("r", " | ".join(row)) for row in rows]
    source = f"""
#set page(paper: "a5", header: [The Ferries of the Lower River #h(1fr) Harbour Office], numbering: "1")
#set text(font: "Libertinus Serif", size: 10pt, hyphenate: true, lang: "en")
#set par(justify: true, first-line-indent: 1.2em, spacing: 0.65em)
#show heading: set block(above: 1.4em, below: 0.9em)
#align(center, text(size: 18pt, weight: "bold")[The Ferries of the Lower River])
#v(1em)
""" + "\n\n".join(body)
    set_with_typst(name, source, title="The Ferries of the Lower River", author="Ada Lin; Bo Chen")
    gold(name, [("The Ferries of the Lower River", ["Ada Lin", "Bo Chen"], "2024-05-17", parts)])


def paper():
    """A paper in two columns, with a title across, a table, and footnotes."""
    sections = ["Introduction", "Method", "Results", "Discussion"]
    parts, body, notes = [("h1", "Willows Hold What Walls Do Not")], [], []
    for at, heading in enumerate(sections):
        body.append(f"= {heading}")
        parts.append(("h2", heading))
        for place in range(3):
            words = f"Point {at * 3 + place + 1} is this. " + paragraph(EN, at * 3 + place + 2, 5, " ")
            parts.append(("p", words))
            if place == 1 and at in (0, 2):
                note = f"See the pilots’ log of {1990 + at}, kept at the harbour office."
                notes.append(("p", f"{len(notes) + 1}{note}"))
                body.append(f"{words}#footnote[{note}]")
                parts[-1] = ("p", f"{words}{len(notes)}")
            else:
                body.append(words)
        if heading == "Results":
            rows = [("Site", "Roots", "Loss"), ("Mill", "12", "3 cm"), ("Pier", "7", "9 cm"), ("Bend", "15", "1 cm")]
            cells = ", ".join(f"[{cell}]" for row in rows for cell in row)
            body.append(f"#table(columns: (2cm, 1.6cm, 1.6cm), stroke: none, {cells})")
            parts += [("r", " | ".join(row)) for row in rows]
    source = """
#set page(paper: "a4", columns: 2, margin: 2cm, numbering: "1")
#set text(font: "Libertinus Serif", size: 10pt, lang: "en")
#set par(justify: true, first-line-indent: 1.2em, spacing: 0.65em)
#show heading: set text(size: 11.5pt)
#show heading: set block(above: 1.4em, below: 0.9em)
#place(top, scope: "parent", float: true, align(center, text(size: 20pt, weight: "bold")[Willows Hold What Walls Do Not]))
""" + "\n\n".join(body)
    set_with_typst("paper", source, title="paper.typ", author="admin")
    title = "Willows Hold What Walls Do Not"
    # Footnotes come last; they stand on pages before the last paragraph.
    articles = [(title, [], "2024-05-17", parts)]
    gold("paper", articles)
    pages = pages_of(HERE / "paper.pdf", [words for _, words in notes])
    with (HERE / "paper.gold.txt").open("a") as file:
        file.writelines(f"{page} {kind} {words}\n" for page, (kind, words) in zip(pages, notes))


def chinese_report():
    """A report in Chinese over several pages, with headings in larger type."""
    parts, body = [("h1", "渡口十年")], []
    for at, heading in enumerate(["一、水情", "二、船只与船工", "三、收支", "四、今后的安排"]):
        body.append(f"= {heading}")
        parts.append(("h2", heading))
        for place in range(4):
            words = f"第{'一二三四五六七八九十甲乙丙丁戊己'[at * 4 + place]}段。" + paragraph(ZH, at * 4 + place, 5, "")
            parts.append(("p", words))
            body.append(words)
    source = """
#set page(paper: "a5", numbering: "— 1 —")
#set text(font: "Noto Serif CJK SC", size: 10.5pt, lang: "zh")
#set par(justify: true, first-line-indent: (amount: 2em, all: true), spacing: 0.65em)
#show heading: set block(above: 1.4em, below: 0.9em)
#align(center, text(size: 20pt)[渡口十年])
#v(1em)
""" + "\n\n".join(body)
    set_with_typst("report-zh", source, title="渡口十年", author="周一、吴二")
    gold("report-zh", [("渡口十年", ["周一", "吴二"], "2024-05-17", parts)])


def newspaper_html():
    """A newspaper page from a browser: four articles in columns, with bylines, a rule, running text in the margins."""
    articles = [
        ("渡船不停开 集市更热闹", "江 流", [paragraph(ZH, at, 5, "") for at in range(5)], "（作者系云溪市地方志办公室研究员）"),
        ("把自然课搬到码头上", "苏叶", [paragraph(ZH, at, 4, "") for at in range(5, 8)], None),
        ("一本旧账里的大雾", "高原", [paragraph(ZH, at, 4, "") for at in range(8, 11)], None),
        ("河床向南移了十九米", "林泉", [paragraph(ZH, at, 4, "") for at in range(11, 14)], "（作者单位：云溪市水文站）"),
    ]
    def block(article, columns):
        title, name, paragraphs, workplace = article
        texts = "".join(f"<p>{text}</p>" for text in paragraphs + ([workplace] if workplace else []))
        return f"<h1>{title}</h1><div class=by>{name}</div><div style='column-count:{columns};column-gap:16pt'>{texts}</div>"
    html = f"""<meta charset=utf-8><style>
@page {{ size: 600pt 840pt; margin: 30pt }} body {{ margin: 0; font: 9pt/14pt 'Noto Serif CJK SC' }}
h1 {{ font-size: 22pt; line-height: 30pt; margin: 4pt 0; text-align: center; font-weight: normal }} .by {{ text-align: center }}
p {{ margin: 0; text-indent: 2em; text-align: justify }} hr {{ border: 0; border-top: 0.7pt solid }}
.two {{ display: flex; gap: 18pt }} .two > div {{ flex: 1 }} .two h1 {{ font-size: 17pt }}
</style><div>2024年5月17日 星期五 第6版</div>{block(articles[0], 3)}<hr>
<div class=two><div>{block(articles[1], 2)}</div><div>{block(articles[2], 2)}</div></div><hr>{block(articles[3], 4)}"""
    set_with_chromium("news-browser", html, day=None)
    expected = []
    for title, name, paragraphs, workplace in articles:
        parts = [("p", text) for text in paragraphs + ([workplace] if workplace else [])]
        expected.append((title, [name.replace(" ", "")], "", parts))
    gold("news-browser", expected)


class Page:
    """A page written by hand, in fonts that are not embedded."""

    def __init__(self, width, height):
        self.width, self.height, self.content = width, height, []

    def text(self, x, y, size, data):
        self.content.append(f"BT /F {size} Tf 1 0 0 1 {x:.2f} {self.height - y:.2f} Tm <{data.hex()}> Tj ET")

    def rule(self, x0, y0, x1, y1):
        self.content.append(f"0.6 w {x0} {self.height - y0} m {x1} {self.height - y1} l S")


def save(name, pages, cmap, ordering, base, rotate=0, **about):
    file = pikepdf.new()
    descendant = file.make_indirect(pikepdf.Dictionary(
        Type=pikepdf.Name.Font, Subtype=pikepdf.Name.CIDFontType0, BaseFont=pikepdf.Name(f"/{base}"), DW=1000,
        CIDSystemInfo=pikepdf.Dictionary(Registry=pikepdf.String("Adobe"), Ordering=pikepdf.String(ordering), Supplement=2),
        FontDescriptor=pikepdf.Dictionary(Type=pikepdf.Name.FontDescriptor, FontName=pikepdf.Name(f"/{base}"), Flags=6,
                                          FontBBox=[0, -120, 1000, 880], ItalicAngle=0, Ascent=880, Descent=-120,
                                          CapHeight=880, StemV=93)))
    font = file.make_indirect(pikepdf.Dictionary(
        Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type0, BaseFont=pikepdf.Name(f"/{base}-{cmap}"),
        Encoding=pikepdf.Name(f"/{cmap}"), DescendantFonts=[descendant]))
    for page in pages:
        if rotate:
            # Drawn upside down, and shown upright.
            page.content = [f"q -1 0 0 -1 {page.width} {page.height} cm", *page.content, "Q"]
        file.pages.append(pikepdf.Page(file.make_indirect(pikepdf.Dictionary(
            Type=pikepdf.Name.Page, MediaBox=[0, 0, page.width, page.height], Rotate=rotate,
            Resources=pikepdf.Dictionary(Font=pikepdf.Dictionary(F=font)),
            Contents=file.make_stream("\n".join(page.content).encode())))))
    file.save(HERE / f"{name}.pdf")
    describe(HERE / f"{name}.pdf", **about)


def wrap(text, width, indent=2):
    """Lines of `width` characters, no stop at a line's head."""
    lines, line, room = [], "", width - indent
    for c in text:
        if room <= 0 and c not in "。，、；：！？”）":
            lines.append(line)
            line, room = "", width
        line += c
        room -= 1
    return lines + [line]


def columns(page, area, paragraphs, count, size, encode):
    """Sets paragraphs in `count` columns of equal height below `area`'s upper border; the lowest line."""
    x0, y0, x1 = area
    gap, pitch = size * 1.6, size * 1.5
    width = int(((x1 - x0) - gap * (count - 1)) / count / size)
    lines = [(at == 0, line) for text in paragraphs for at, line in enumerate(wrap(text, width - 1))]
    height = -(-len(lines) // count)
    for at, (first, line) in enumerate(lines):
        column, row = divmod(at, height)
        x = x0 + column * ((x1 - x0 - gap * (count - 1)) / count + gap)
        page.text(x + (2 * size if first else 0), y0 + pitch * (row + 1), size, encode(line))
    return y0 + pitch * (height + 1)


def newspaper_by_hand(name, cmap, ordering, base, encode, translate=lambda text: text, rotate=0):
    """A newspaper page without embedded fonts: three articles, one of them beside the two others."""
    encoded = lambda text: encode(translate(text))
    page = Page(640, 900)
    texts = {
        "步道修好之后": ("白露", [paragraph(ZH, at + 1, 4, "") for at in range(6)]),
        "竹器传到第五代": ("方舟", [paragraph(ZH, at + 3, 3, "") for at in range(4)]),
        "太阳能灯塔的两本账": ("苏叶", [paragraph(ZH, at + 6, 3, "") for at in range(5)]),
    }
    areas = {"步道修好之后": (30, 70, 610, 3), "竹器传到第五代": (30, 0, 300, 2), "太阳能灯塔的两本账": (330, 0, 610, 2)}
    page.text(30, 40, 9, encoded("二〇二四年五月十七日"))
    below = 70
    for title, (author, paragraphs) in texts.items():
        x0, y0, x1, count = areas[title]
        y0 = y0 or below
        size = 24 if count == 3 else 18
        page.text((x0 + x1 - size * len(title)) / 2, y0 + size, size, encoded(title))
        page.text((x0 + x1 - 10 * len(author)) / 2, y0 + size + 20, 10, encoded(author))
        end = columns(page, (x0, y0 + size + 26, x1), paragraphs, count, 10, encoded)
        if count == 3:
            below = end + 20
            page.rule(30, end + 5, 610, end + 5)
    save(name, [page], cmap, ordering, base, rotate=rotate, day=None)
    gold(name, [(translate(title), [translate(author)], "", [("p", translate(text)) for text in paragraphs])
                for title, (author, paragraphs) in texts.items()])


def vertical(name, cmap, encode):
    """A Japanese page whose lines run downwards, from right to left."""
    page = Page(420, 595)
    paragraphs = [paragraph(JA, at, 3, "") for at in range(4)]
    x = 360
    page.text(x, 60, 18, encode("川と渡し舟"))
    x -= 34
    for text in paragraphs:
        for at, line in enumerate(wrap(text, 40, 1)):
            page.text(x, 60 + (11 if at == 0 else 0), 11, encode(line))
            x -= 18
    save(name, [page], cmap, "Japan1", "HeiseiMin-W3", day=None)
    parts = [("h1", "川と渡し舟")] + [("p", text) for text in paragraphs]
    lines = ["# 川と渡し舟 |  | "] + [f"1 {kind} {words}" for kind, words in parts]
    (HERE / f"{name}.gold.txt").write_text("\n".join(lines) + "\n")


def unembedded(name, cmap, ordering, base, encode, title, pool, joiner=""):
    """A report in a font that is not embedded."""
    page = Page(420, 595)
    page.text(60, 70, 20, encode(title))
    paragraphs = [paragraph(pool, at, 3, joiner) for at in range(3)]
    y = 100
    for text in paragraphs:
        lines = textwrap.wrap(text, 26, initial_indent="  ") if joiner else wrap(text, 26)
        for at, line in enumerate(lines):
            line = line.strip()
            page.text(60 + (22 if at == 0 else 0), y, 11, encode(line))
            y += 18
    save(name, [page], cmap, ordering, base, day=None)
    parts = [("h1", title)] + [("p", text) for text in paragraphs]
    lines = [f"# {title} |  | "] + [f"1 {kind} {words}" for kind, words in parts]
    (HERE / f"{name}.gold.txt").write_text("\n".join(lines) + "\n")


def browser_report():
    """A page from a browser: headings in bold, a list, a table with lines."""
    parts = [("h1", "How the Bell Is Rung"), ("p", paragraph(EN, 1, 4, " ")), ("h2", "Who rings it"),
             ("p", paragraph(EN, 2, 5, " ")), ("p", paragraph(EN, 3, 3, " ")), ("h2", "What it costs"),
             ("r", "Year | Rope | Oil"), ("r", "2021 | 120 | 45"), ("r", "2022 | 90 | 51"), ("p", paragraph(EN, 4, 4, " "))]
    def tag(kind, words):
        if kind == "r":
            return "<tr>" + "".join(f"<td>{cell}</td>" for cell in words.split(" | ")) + "</tr>"
        return f"<{kind}>{words}</{kind}>"
    html = "".join(tag(kind, words) for kind, words in parts).replace("<tr>", "<table><tr>", 1)
    html = html.replace("</tr><p>", "</tr></table><p>")
    style = "<meta charset=utf-8><style>@page{size:a5;margin:20mm} body{font:11pt/1.4 'Noto Serif CJK SC';margin:0} td{padding:2pt 30pt 2pt 0} h1{font-size:18pt} h2{font-size:13pt}</style>"
    set_with_chromium("browser", style + html, title="How the Bell Is Rung", author="Windows User")
    gold("browser", [("How the Bell Is Rung", [], "2024-05-17", parts)])


def scans_and_locks():
    """A scan behind a page of text, a scan alone, and what is encrypted."""
    image = Image.new("1", (620, 877), 1)
    draw = ImageDraw.Draw(image)
    for row in range(30):
        draw.rectangle([60, 60 + row * 25, 540 - row % 4 * 60, 68 + row * 25], fill=0)
    picture = io.BytesIO()
    image.save(picture, "PDF", resolution=75)
    words = paragraph(EN, 5, 5, " ")
    first = typst.compile(f'#set page(paper: "a5")\n#set text(font: "Libertinus Serif", hyphenate: false)\n{words}'.encode())
    def join(name, parts):
        file = pikepdf.new()
        for part in parts:
            file.pages.extend(pikepdf.open(io.BytesIO(part)).pages)
        file.save(HERE / f"{name}.pdf")
        describe(HERE / f"{name}.pdf", title="The Long Scan")
    join("scan-behind-text", [first, picture.getvalue(), picture.getvalue()])
    gold("scan-behind-text", [("The Long Scan", [], "2024-05-17", [("p", words)])], ["has pages 2–3 without text: a scan"])
    join("scan", [picture.getvalue()])
    gold("scan", [], ["has page 1 without text: a scan"])
    with pikepdf.open(HERE / "scan-behind-text.pdf") as file:
        del file.pages[1:]
        file.save(HERE / "locked.pdf", encryption=pikepdf.Encryption(user="river", owner="boat", R=6))
        file.save(HERE / "owner-only.pdf", encryption=pikepdf.Encryption(user="", owner="boat", R=4))
    (HERE / "locked.gold.txt").write_text("! is encrypted, and the empty password does not open it\n")
    gold("owner-only", [("The Long Scan", [], "2024-05-17", [("p", words)])])


if __name__ == "__main__":
    HERE.mkdir(parents=True, exist_ok=True)
    report("report", 4)
    report("report-50", 56)
    paper()
    chinese_report()
    newspaper_html()
    browser_report()
    newspaper_by_hand("news-gbk", "GBK-EUC-H", "GB1", "STSong-Light", lambda text: text.encode("gbk"))
    newspaper_by_hand("news-unigb", "UniGB-UCS2-H", "GB1", "SimSun", lambda text: text.encode("utf-16-be"))
    newspaper_by_hand("news-turned", "UniGB-UCS2-H", "GB1", "SimSun", lambda text: text.encode("utf-16-be"), rotate=180)
    vertical("vertical-sjis", "90ms-RKSJ-V", lambda text: text.encode("shift_jis"))
    vertical("vertical-unijis", "UniJIS-UCS2-V", lambda text: text.encode("utf-16-be"))
    unembedded("report-big5", "ETen-B5-H", "CNS1", "MingLiU", lambda text: text.encode("big5"), "渡口的十年", ZH_HANT)
    unembedded("report-uhc", "KSCms-UHC-H", "Korea1", "Batang", lambda text: text.encode("cp949"), "나루터의 십 년", KO, " ")
    scans_and_locks()
