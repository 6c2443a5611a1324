"""Mine synonyms of product names: ``mine_names.py DATA`` rewrites ``synonyms.tsv``.

Two names are synonyms where enzymes of one EC number, or genes of one symbol, have both and hardly
anything else has, or where members of several clusters of similar proteins, named by different
houses, have both more often than other names and somebody read the pair.
No cluster that holds a protein or a name of the labelled
pairs (tests/evaluation/names) is read. DATA is the folder of ``proteins/`` and ``pairs/``.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

from name_records import Named, Neighbours, of_genomes, of_proteins

from genescribe.evaluation.names.judge import SYNONYMS, conflict, judge_unhedged
from genescribe.evaluation.names.reading import Name, read

HEADER = """\
# Names (content words, sorted; genescribe.evaluation.names.reading) that say the same, by line:
# what they were mined by, then the names. Made by benchmarks/mine_names.py.
# Mined from names of UniProt (CC BY 4.0, https://www.uniprot.org), of INSDC, RefSeq and HGNC
# records (free to use), of PATRIC/BV-BRC and VEuPathDB.
"""
MOST_NAMES = 25
"""An EC number of more names is of many proteins ("protein kinase")."""
MOST_PARTS = 0.15
"""So is one of which a larger share of the names is of subunits."""
MIN_CLUSTERS = 2
PURE = 0.8
"""Share of the records of a name that must have the same number or symbol."""
SYMBOL = re.compile(r"[a-z]{3}[a-z]{1,2}\d?")
LABELLED = Path(__file__).parents[1] / "tests" / "evaluation" / "names"
READ = Path(__file__).with_name("synonyms_read.tsv")


def labelled() -> tuple[set[str], set[str]]:
    """Return families and names (lower case) of all pairs that people labelled."""
    families, names = set(), set()
    for side in ("panel", "development"):
        lines = (LABELLED / f"{side}.tsv").read_text(encoding="utf-8").splitlines()
        table = [line for line in lines if not line.startswith("#")]
        for row in csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE):
            families |= {row["prediction_family"], row["reference_family"]}
            names |= {row["prediction"].lower(), row["reference"].lower()}
    return families, names


def clusters(data: Path, families: set[str], names: set[str]) -> list[list[Named]]:
    """Return proteins by cluster, genes of genomes with what they nearly equal."""
    known = list(of_proteins(data))
    index = Neighbours(known)
    found = defaultdict(list)
    for one in known:
        found[one.family].append(one)
    for gene in of_genomes(data):
        if gene.residues:
            near = index.of(gene.residues, 1)
            if near and near[0][1] >= 0.85:
                found[known[near[0][0]].family].append(gene)
    closed = {
        family
        for family, members in found.items()
        if any(one.family in families or one.name.lower() in names for one in members)
    }
    return [members for family, members in found.items() if family not in closed]


def usable(name: Name) -> bool:
    return bool(name.is_informative and not name.is_family and name.specific and name.words)


def by_ec(groups: Iterable[list[Named]]) -> dict[str, list[str]]:
    """Return the keys of each EC number that names one function, at least two each."""
    numbers: dict[str, Counter[str]] = defaultdict(Counter)
    parts = Counter()
    for one in (one for members in groups for one in members):
        name = read(one.name)
        if len(set(one.ec)) == 1 and usable(name):
            numbers[name.key][one.ec[0]] += 1
            parts[one.ec[0]] += bool(name.parts)
    keys = defaultdict(list)
    total: Counter[str] = Counter()
    for key, counts in numbers.items():
        (number, count), everything = counts.most_common(1)[0], counts.total()
        total[number] += count
        if count / everything >= PURE and not {"boundatp", "permease"} & set(key.split()):
            keys[number].append(key)
    akin = {number: _akin(found) for number, found in keys.items()}
    return {
        number: found
        for number, found in akin.items()
        if 2 <= len(found) <= MOST_NAMES and parts[number] <= MOST_PARTS * total[number]
    }


def _akin(keys: list[str]) -> list[str]:
    """Return the keys that share a word with another one: others are mistakes, mostly."""
    held = Counter(word for key in keys for word in set(key.split()) if not word.isdecimal())
    return sorted(key for key in keys if any(held[word] > 1 for word in key.split()))


def by_symbol(groups: Iterable[list[Named]]) -> dict[str, list[str]]:
    """Return the keys of each gene symbol: names that go with it alone.

    A name must have the symbol in several clusters, or in one that names it otherwise as well.
    """
    symbols: dict[str, Counter[str]] = defaultdict(Counter)
    met: dict[str, set[str]] = defaultdict(set)
    for members in groups:
        keys: dict[str, set[str]] = defaultdict(set)
        for one in members:
            name = read(one.name)
            found = name.symbols or {one.symbol.split("_")[0].lower()}
            if usable(name) and len(found) == 1 and SYMBOL.fullmatch(min(found)):
                keys[min(found)].add(name.key)
        for symbol, together in keys.items():
            for key in together:
                symbols[key][symbol] += 1
                met[symbol] |= together if len(together) > 1 else set()
    found_keys = defaultdict(list)
    for key, counts in symbols.items():
        best = max(counts, key=lambda symbol: (counts[symbol], symbol))
        often = counts[best] >= MIN_CLUSTERS or key in met[best]
        if often and counts[best] >= PURE * counts.total():
            found_keys[best].append(key)
    groups_of = {
        symbol: sorted({*_akin(keys), *(met[symbol] & set(keys))}) if len(keys) > 1 else keys
        for symbol, keys in found_keys.items()
    }
    return {symbol: keys for symbol, keys in groups_of.items() if keys}


def by_cluster(groups: Iterable[list[Named]]) -> list[tuple[str, str]]:
    """Return pairs of keys that are met together in clusters and seldom apart, if read and kept.

    Prints those that nobody has decided on: whoever reads them adds the good ones to ``READ``.
    """
    together: Counter[tuple[str, str]] = Counter()
    alone: Counter[str] = Counter()
    texts: dict[str, str] = {}
    for members in groups:
        names = {read(one.name).key: one.name for one in members if usable(read(one.name))}
        if len(names) > 1 and len({one.source for one in members}) > 1:
            texts |= names
            alone.update(list(names))
            together.update(combinations(sorted(names), 2))
    kept = {tuple(line.split("\t")) for line in READ.read_text(encoding="utf-8").splitlines()[1:]}
    pairs = []
    for (one, other), count in sorted(together.items()):
        counts = sorted((alone[one], alone[other]))
        often = count >= MIN_CLUSTERS and count >= counts[0] / 2 and count >= counts[1] / 5
        names = read(texts[one]), read(texts[other])
        if (
            often
            and not conflict(*names)
            and judge_unhedged(texts[one], texts[other]) == "different"
        ):
            if (one, other) in kept:
                pairs.append((one, other))
            else:
                print(count, texts[one], texts[other], sep="\t")
    return pairs


def main(data: Path) -> None:
    SYNONYMS.write_text(HEADER, encoding="utf-8")
    groups = clusters(data, *labelled())
    lines = [[f"EC {number}", *keys] for number, keys in sorted(by_ec(groups).items())]
    lines += [[f"symbol {symbol}", *keys] for symbol, keys in sorted(by_symbol(groups).items())]
    lines += [[f"clusters {n}", *two] for n, two in enumerate(by_cluster(groups), 1)]
    with SYNONYMS.open("a", encoding="utf-8") as table:
        table.writelines("\t".join(line) + "\n" for line in lines)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
