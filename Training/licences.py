"""Which pictures of Debian's `stellarium-data` state a free licence, read from the package's own CREDITS.md (section 4)."""
import gzip
import re

FREE = re.compile(r"public domain|Creative Commons|CC0|used by anyone for any purpose|use the image freely", re.I)
UNFREE = re.compile(r"GNU Free Documentation|Noncommercial|NoDerivs", re.I)
# The credit in labels.json -> the words by which CREDITS.md names the same source, where the two differ.
ALIASES = {
    "Grasslands Observatory": "Grasslands Observatory",
    "LEE ang HG731GZ": "LEE ang HG731GZ",
    "SunShuwei": "Sun Shuwei",
    "Jose A Mtanous": "Jose Mtanous",
    "Credit Line and Copyright Adam Block/Mount Lemmon SkyCenter/University of Arizona":
        "Adam Block/Mount Lemmon SkyCenter/University of Arizona",
    "ESA/Hubble and NASA": "ESA/Hubble & NASA",
    "NASA, ESA, and The Hubble Heritage Team (STScI/AURA)": "NASA/ESA and The Hubble Heritage Team (STScI/AURA)",
}


def sections(path):
    """Paragraphs 4.7 and later of CREDITS.md, white space folded: (text, licence or None)."""
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
        text = file.read()
    text = text[text.index("4. Graphics"):text.index("## Appendix")]
    rows = []
    for row in re.split(r"\n\s+4\.\d+[a-z]? ", text)[1:]:
        row = " ".join(row.split())
        licence = row.partition("License:")[2].strip()
        rows.append((row.partition("License:")[0], licence if FREE.search(licence) and not UNFREE.search(licence) else None))
    return rows


def licence(credit, rows):
    """The free licence under which the package names this credit, or None. A credit with several sections needs all free."""
    name = " ".join(ALIASES.get(credit.strip(), credit.strip()).split())
    if not name:
        return None
    found = [stated for text, stated in rows if re.search(r"(from|by|courtesy of .*) (Peter Vasey, )?" + re.escape(name) + r"(?![\w/])", text)
             or (name == "Grasslands Observatory" and name in text)]
    if not found or any(stated is None for stated in found):
        return None
    return re.split(r" https?:|\. This work| as long| If you", found[0])[0].strip(" .\"")
