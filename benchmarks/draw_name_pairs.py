"""Draw pairs of names for a panel that people label: ``draw_name_pairs.py DATA MODEL_TEXTS OUT``.

Writes ``panel.tsv`` and ``development.tsv``: pair, two names in random order, and ``key.tsv`` with
what whoever labels must not see: houses, ids, families, stratum, estimated identity. MODEL_TEXTS
is a table (text, reference, id) of texts that a model wrote.
"""

from __future__ import annotations

import csv
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from name_records import Named, Neighbours, of_genomes, of_proteins

SIZES = {"near copy": 120, "cluster": 190, "relative": 120, "words": 60, "rna": 16, "model": 60}
"""Pairs of each stratum; a quarter of each goes to development."""
MOST_PER_NAME = 2


class Drawn(NamedTuple):
    stratum: str
    one: Named
    other: Named
    identity: float


def near_copies(genes: list[Named], known: list[Named], index: Neighbours) -> Iterator[Drawn]:
    """Genes of genomes with the most similar known protein of another house."""
    for gene in genes:
        for place, identity in index.of(gene.residues):
            if identity >= 0.85 and known[place].house != gene.house:
                yield Drawn("near copy", gene, known[place], identity)
                break


def cluster_mates(known: list[Named], rng: random.Random) -> Iterator[Drawn]:
    """Members of one cluster at 50 % identity whose names come from different sources."""
    clusters = defaultdict(list)
    for one in known:
        clusters[one.family].append(one)
    mates = [c for c in clusters.values() if len({one.source for one in c}) > 1]
    for cluster in rng.sample(mates, len(mates)):
        one, other = rng.sample(cluster, 2)
        if one.source != other.source:
            yield Drawn("cluster", one, other, 0.6)


def relatives(queries: list[Named], known: list[Named], index: Neighbours) -> Iterator[Drawn]:
    """Proteins with a relative in another cluster."""
    for query in queries:
        for place, identity in index.of(query.residues):
            if known[place].family != query.family and identity < 0.8:
                yield Drawn("relative", query, known[place], identity)
                break


def sharing_words(stratum: str, named: list[Named], rng: random.Random) -> Iterator[Drawn]:
    """Records of different families whose names share a word."""
    holders = defaultdict(list)
    for one in named:
        for word in set(one.name.lower().split()):
            holders[word].append(one)
    for one in rng.sample(named, len(named)):
        words = [w for w in one.name.lower().split() if 1 < len(holders[w]) < len(named) / 20]
        words = words or [w for w in one.name.lower().split() if len(holders[w]) > 1]
        if words:
            other = rng.choice(holders[rng.choice(words)])
            if other.family != one.family:
                yield Drawn(stratum, one, other, 0.0)


def choose(candidates: Iterator[Drawn], size: int, used: Counter[str]) -> list[Drawn]:
    """Take pairs of names that differ, each name and family but rarely."""
    chosen: list[Drawn] = []
    for drawn in candidates:
        names = [drawn.one.name.lower(), drawn.other.name.lower()]
        keys = [*names, drawn.one.family, drawn.other.family]
        long = any(len(name.split()) > 15 for name in names)
        if names[0] == names[1] or long or any(used[key] >= MOST_PER_NAME for key in keys):
            continue
        chosen.append(drawn)
        used.update(set(keys))
        if len(chosen) == size:
            break
    return chosen


def main(data: Path, model_texts: Path, out: Path) -> None:
    rng = random.Random(11)
    known = list(of_proteins(data))
    index = Neighbours(known)
    genes = list(of_genomes(data))
    coding = rng.sample([gene for gene in genes if gene.residues], 6000)
    rna = [gene for gene in genes if not gene.residues and "RNA" in gene.name]
    with model_texts.open(encoding="utf-8") as lines:
        texts = [
            Drawn(
                "model",
                Named(
                    row["id"], "model", "model", row["text"], "", f"text {row['id']}", (), "", ""
                ),
                Named(
                    row["id"], "genome", row["genome"], row["reference"], "", row["id"], (), "", ""
                ),
                0.0,
            )
            for row in csv.DictReader(lines, delimiter="\t")
        ]
    used: Counter[str] = Counter()
    pools = {
        "near copy": near_copies(coding, known, index),
        "cluster": cluster_mates(known, rng),
        "relative": relatives(rng.sample(known, 3000), known, index),
        "words": sharing_words("words", rng.sample(known, 30000), rng),
        "rna": sharing_words("rna", rna, rng),
        "model": iter(texts),
    }
    sides: dict[str, list[Drawn]] = {"panel": [], "development": []}
    for stratum, pool in pools.items():
        drawn = choose(pool, SIZES[stratum], used)
        cut = round(len(drawn) * 0.75)
        sides["panel"] += drawn[:cut]
        sides["development"] += drawn[cut:]
    seen = {x for d in sides["panel"] for one in d[1:3] for x in (one.family, one.name.lower())}
    sides["development"] = [
        d
        for d in sides["development"]
        if not {x for one in d[1:3] for x in (one.family, one.name.lower())} & seen
    ]
    write(sides, out, rng)


def write(sides: dict[str, list[Drawn]], out: Path, rng: random.Random) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with (out / "key.tsv").open("w", encoding="utf-8") as key:
        names = ("id", "house", "source", "family", "domain")
        heads = [f"{side}_{name}" for side in ("prediction", "reference") for name in names]
        print("side", "pair", "stratum", "identity", *heads, sep="\t", file=key)
        for side, drawn in sides.items():
            rng.shuffle(drawn)
            with (out / f"{side}.tsv").open("w", encoding="utf-8") as table:
                print("pair", "prediction", "reference", sep="\t", file=table)
                for number, (stratum, *two, identity) in enumerate(drawn, 1):
                    one, other = rng.sample(two, 2)
                    print(number, one.name, other.name, sep="\t", file=table)
                    hidden = [getattr(x, name) for x in (one, other) for name in names]
                    print(side, number, stratum, f"{identity:.2f}", *hidden, sep="\t", file=key)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
