"""The Describer's promises, with a model small enough to reason about."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from genescribe.errors import Cancelled, InputError
from genescribe.inference import describer as module
from genescribe.inference.batching import PROMPT_TOKENS, Batching
from genescribe.inference.cache import FolderCache, Generation, cache_key
from genescribe.inference.describer import Describer
from genescribe.inference.params import DescribeParams
from genescribe.inference.scheduling import TokenBudget, gene_cost, shard_members
from genescribe.inference.writer import Writer, shuffled
from genescribe.records import Reason, SequenceRecord, Status, View, sequence_sha256
from genescribe.specs.prompts import PromptVariant, Turn
from genescribe.specs.spec import make_spec


def record(gene_id: str, sequence: str, biotype: str = "protein_coding") -> SequenceRecord:
    return SequenceRecord(gene_id, View.CDS, biotype, sequence, sequence_sha256(sequence))


class FakeProcessor:
    """Texts are numbers; token 0 is padding."""

    def __call__(self, records: Sequence[SequenceRecord], **told: Any) -> Any:
        assert set(told) == {"organism", "question", "history", "context"}
        lengths = torch.tensor([len(r.sequence) for r in records])  # (batch,)
        adenines = torch.tensor([r.sequence[:4].count("A") for r in records])  # (batch,)

        class Inputs(dict[str, Any]):
            def to(self, _device: str) -> Inputs:
                return self

        return Inputs(lengths=lengths, adenines=adenines)

    def check(self, record: SequenceRecord) -> None:
        if "?" in record.sequence:
            raise InputError(f"{record.gene_id}: no nucleotides")

    def expected_tokens(self, length: int) -> int:
        return length // 3

    def text_tokens(self, _biotype: str, **_told: Any) -> int:
        return 9

    def read(self, text_ids: torch.Tensor, mask: torch.Tensor, stop: Sequence[str]) -> Any:
        assert not stop
        first = text_ids[:, 0].tolist()
        return [f"length {token - 1}" if token != 1 else "" for token in first], mask


class FakeModel:
    """Writes the sequence's length; fits ``capacity`` sequences, none longer than ``limit``."""

    dtype = torch.float32
    language_model = SimpleNamespace(
        config=SimpleNamespace(
            get_text_config=lambda: SimpleNamespace(max_position_embeddings=2048)
        )
    )

    def __init__(self, capacity: int = 1000, limit: int = 10**9) -> None:
        self.capacity, self.limit = capacity, limit
        self.batches: list[list[int]] = []

    def with_features(
        self, inputs: dict[str, torch.Tensor], use_sequence: bool = True
    ) -> dict[str, torch.Tensor]:
        return inputs if use_sequence else {"adenines": inputs["adenines"]}

    def generate(
        self, lengths: torch.Tensor, adenines: torch.Tensor, max_new_tokens: int
    ) -> torch.Tensor:
        if len(lengths) > self.capacity or int(lengths.max()) > self.limit:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9 bytes")
        self.batches.append(lengths.tolist())
        ids = torch.zeros(len(lengths), 3, dtype=torch.long)  # (batch, text_tokens)
        ids[:, 0] = lengths % 90 + 1
        ids[lengths % 2 == 0, 1] = 7  # even lengths get a second token
        return ids

    def text_mask(self, text_ids: torch.Tensor) -> torch.Tensor:
        return text_ids != 0

    def text_log_probs(
        self,
        inputs: dict[str, torch.Tensor],
        text_ids: torch.Tensor,
        text_mask: torch.Tensor,
    ) -> torch.Tensor:
        is_gene = "lengths" in inputs
        value = -inputs["lengths"].float()[:, None] / 100 if is_gene else torch.tensor(-1.0)
        value = value - inputs["adenines"].float()[:, None] + 1  # one A among the first four
        # a wild value on padding: it must not count
        return torch.where(text_mask, value, torch.tensor(-1e6))


CALIBRATION = SimpleNamespace(probability=lambda log_prob, lift: 1 + log_prob)


def make(
    monkeypatch: pytest.MonkeyPatch,
    model: FakeModel,
    calibration: Any = CALIBRATION,
    no_sequence: str = "learned",
    **options: Any,
) -> Describer:
    spec = SimpleNamespace(
        name="fake",
        identity="fake@0",
        sha256="00",
        prompt=PromptVariant(id="p1", template="{sequence} {question}"),
        prompt_id="p1",
        question=None,
        config=None,
        dtype={"cpu": "float32"},
        quantisation="none",
        no_sequence=no_sequence,
        generation={"max_new_tokens": 8},
        min_lift=0.2,
        min_score=0.1,
        calibration=calibration,
    )
    monkeypatch.setattr(module, "load_spec", lambda name: spec)
    monkeypatch.setattr(module, "load", lambda spec, device, dtype: (model, FakeProcessor()))
    monkeypatch.setattr(Batching, "_batch_tokens", lambda self: 1 << 16)
    return Describer("fake", device="cpu", **options)


RECORDS = [record(f"g{n}", "ACGT" * n) for n in (3, 9, 1, 7, 5, 2, 8)]


def test_one_description_per_record_in_input_order(monkeypatch: pytest.MonkeyPatch) -> None:
    model = FakeModel()
    params = DescribeParams(batch_tokens=3 * (PROMPT_TOKENS + 8 + 36 // 3))
    rows = list(make(monkeypatch, model).describe(RECORDS, params))
    assert [row.gene_id for row in rows] == [r.gene_id for r in RECORDS]
    assert [row.text for row in rows] == [f"length {len(r.sequence)}" for r in RECORDS]
    assert [len(batch) for batch in model.batches] == [3, 3, 1]
    flat = [length for batch in model.batches for length in batch]
    assert flat == sorted(flat, reverse=True), "longest genes come first"


def test_score_and_lift_are_means_over_text_tokens_only(monkeypatch: pytest.MonkeyPatch) -> None:
    (row,) = make(monkeypatch, FakeModel()).describe([record("g", "ACGT" * 5)])
    assert row.lift == pytest.approx(0.8)  # -0.2 with the sequence, -1.0 without
    assert row.score == pytest.approx(0.8)
    assert row.n_tokens == 2
    assert (row.status, row.reason) == (Status.DESCRIBED, Reason.NONE)


def test_without_calibration_the_score_is_the_likelihood(monkeypatch: pytest.MonkeyPatch) -> None:
    (row,) = make(monkeypatch, FakeModel(), None).describe([record("g", "ACGT" * 5)])
    assert row.score == pytest.approx(math.exp(-0.2), abs=1e-4)


def test_a_shuffled_gene_stands_in_for_no_sequence(monkeypatch: pytest.MonkeyPatch) -> None:
    gene = record("g", "ACGT" * 5)
    other = shuffled(gene)
    assert sorted(other.sequence) == sorted(gene.sequence)
    assert other.sequence != gene.sequence
    assert other.sha256 == sequence_sha256(other.sequence)
    assert shuffled(record("renamed", gene.sequence)).sequence == other.sequence
    (row,) = make(monkeypatch, FakeModel(), no_sequence="shuffled").describe([gene])
    adenines = other.sequence[:4].count("A")
    assert adenines != 1, "else this gene shows nothing"
    assert row.lift == pytest.approx(adenines - 1)


def test_a_gene_that_cannot_be_read_is_refused_before_any_is(monkeypatch) -> None:
    model = FakeModel()
    with pytest.raises(InputError, match="bad: no nucleotides"):
        list(make(monkeypatch, model).describe([*RECORDS, record("bad", "AC?")]))
    assert not model.batches


@pytest.mark.parametrize(
    ("log_prob", "lift", "text", "status", "reason"),
    [
        (-0.1, 0.5, "a text", Status.DESCRIBED, Reason.NONE),
        (-0.1, 0.1, "a text", Status.UNCERTAIN, Reason.LOW_LIFT),
        (-0.95, 0.5, "a text", Status.UNCERTAIN, Reason.LOW_SCORE),
        (-0.1, 0.5, "", Status.FAILED, Reason.EMPTY_TEXT),
    ],
)
def test_status_and_reason(
    monkeypatch: pytest.MonkeyPatch,
    log_prob: float,
    lift: float,
    text: str,
    status: Status,
    reason: Reason,
) -> None:
    describer = make(monkeypatch, FakeModel())
    row = module.described(describer.spec, RECORDS[0], Generation(text, log_prob, lift, 3))
    assert (row.status, row.reason) == (status, reason)


def test_out_of_memory_halves_the_batch_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    model = FakeModel(capacity=2)
    rows = list(make(monkeypatch, model).describe(RECORDS))
    assert [row.text for row in rows] == [f"length {len(r.sequence)}" for r in RECORDS]
    assert max(len(batch) for batch in model.batches) <= 2


def test_a_gene_that_never_fits_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {row.gene_id: row for row in make(monkeypatch, FakeModel(limit=33)).describe(RECORDS)}
    assert (rows["g9"].status, rows["g9"].reason) == (Status.FAILED, Reason.OUT_OF_MEMORY)
    assert all(row.status != Status.FAILED for name, row in rows.items() if name != "g9")


def test_other_runtime_errors_are_not_taken_for_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    model = FakeModel()
    monkeypatch.setattr(model, "generate", lambda **_: (_ for _ in ()).throw(RuntimeError("bug")))
    with pytest.raises(RuntimeError, match="bug"):
        list(make(monkeypatch, model).describe(RECORDS))


def test_equal_sequences_are_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = FakeModel()
    twins = [record("a", "ACGTAC"), record("b", "ACGTAC"), record("c", "ACGTAC", "tRNA")]
    rows = list(make(monkeypatch, model).describe(twins))
    assert [row.gene_id for row in rows] == ["a", "b", "c"]
    assert sum(len(batch) for batch in model.batches) == 2, "c has another biotype, so another text"


def test_the_cache_saves_every_unchanged_gene(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    first = list(make(monkeypatch, FakeModel(), cache=FolderCache(tmp_path)).describe(RECORDS))
    model = FakeModel()
    changed = [*RECORDS[:-1], record("g8", "TTTT")]
    second = list(make(monkeypatch, model, cache=FolderCache(tmp_path)).describe(changed))
    assert model.batches == [[4]]
    assert second[:-1] == first[:-1]


def test_the_key_names_everything_that_decides_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    describer = make(monkeypatch, FakeModel())
    base = describer.writer.key(RECORDS[0], DescribeParams())
    assert base == describer.writer.key(record("other name", RECORDS[0].sequence), DescribeParams())
    assert base != describer.writer.key(RECORDS[1], DescribeParams())
    for asked in (
        {"organism": "yeast"},
        {"question": "Which?"},
        {"context": "id=1"},
        {"history": (Turn("Which?", "This."),)},
    ):
        assert base != describer.writer.key(RECORDS[0], DescribeParams(**asked)), asked
    for field, other in {
        "sha256": "changed",
        "prompt": PromptVariant(id="p1", template="{sequence} {question}", bos="none"),
        "question": "Which?",
        "generation": {"max_new_tokens": 8, "stop": ["###"]},
        "no_sequence": "shuffled",
        "quantisation": "4bit",
        "config": {"pooling": "attention"},
    }.items():
        kept = getattr(describer.spec, field)
        setattr(describer.spec, field, other)
        assert base != describer.writer.key(RECORDS[0], DescribeParams())
        setattr(describer.spec, field, kept)


def test_keys_of_earlier_versions_stay_valid(tmp_path: Path) -> None:
    content = {
        "name": "own", "summary": "s", "architecture": "sequence_chat", "license": "l",
        "trained_on": "t",
        "weights": {"folder": "./", "sha256": {"model.safetensors": "ab" * 32}},
        "prompt": {"id": "own-1", "template": "{sequence} {question}",
                   "turn": " {answer} {question}"},
        "question": "What?",
        "config": {"projector_settings": {"b": 1, "a": 2.0}, "chunk_length": None, "null_slots": 4},
        "views": {"default": "cds"},
        "max_length": 100,
        "generation": {"stop": ["#"], "max_new_tokens": 8, "length_penalty": 2.0,
                       "repetition_penalty": 1},
        "calibration": None, "min_lift": 0.1, "min_score": 0,
    }  # fmt: skip
    spec = make_spec(tmp_path / "own.yaml", content)
    writer = Writer(spec, "cpu", SimpleNamespace(dtype=torch.float32), None)
    gene = SequenceRecord("g", View.CDS, "mRNA", "ATG", "cd" * 32)
    assert writer.key(gene, DescribeParams(organism="yeast")) == (
        "1d35d37003282d30908696d876e8c4b5ad3cb0267fa46bb0d5d253a205742781"  # version 0.1.0's
    )


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_cache_holds_numbers_only(tmp_path: Path, number: str) -> None:
    FolderCache(tmp_path).put({"k": Generation("one", -1.5, 1.0, 2)})
    (path,) = tmp_path.glob("*.jsonl")
    path.write_text(path.read_text().replace("-1.5", number))
    assert FolderCache(tmp_path).get("k") is None


def test_half_a_cache_line_costs_one_gene(tmp_path) -> None:
    cache = FolderCache(tmp_path)
    cache.put({"k1": Generation("one", -1.0, 1.0, 2), "k2": Generation("two", -1.0, 1.0, 2)})
    (path,) = tmp_path.glob("*.jsonl")
    path.write_bytes(path.read_bytes()[:-10])
    again = FolderCache(tmp_path)
    assert again.get("k1") == Generation("one", -1.0, 1.0, 2)
    assert again.get("k2") is None


def test_cancel_stops_between_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    cancel = threading.Event()
    done: list[int] = []
    describer = make(monkeypatch, FakeModel())

    def progress(count: int, total: int) -> None:
        done.append(count)
        assert total == len(RECORDS)
        cancel.set()

    params = DescribeParams(batch_tokens=1)
    with pytest.raises(Cancelled, match="kept"):
        list(describer.describe(RECORDS, params, progress=progress, cancel=cancel))
    assert done == [1]


def test_shards_are_a_partition_and_balanced() -> None:
    lengths = [((n * 7919) % 5000) + 30 for n in range(500)]
    shards = [shard_members(lengths, index, 7) for index in range(1, 8)]
    assert sorted(position for shard in shards for position in shard) == list(range(500))
    costs = [sum(gene_cost(lengths[p]) for p in shard) for shard in shards]
    assert max(costs) < 1.02 * min(costs)


def test_more_shards_than_genes_leaves_some_empty() -> None:
    shards = [shard_members([100, 200], index, 4) for index in range(1, 5)]
    assert sorted(position for shard in shards for position in shard) == [0, 1]


@pytest.mark.parametrize(("index", "total"), [(0, 3), (4, 3), (1, 0)])
def test_a_shard_outside_the_range_is_refused(index: int, total: int) -> None:
    with pytest.raises(InputError, match="I from 1 to N"):
        shard_members([1, 2], index, total)


def test_batches_keep_to_the_budget() -> None:
    budget = TokenBudget(RECORDS, 2 * gene_cost(36), gene_cost, gene_cost)
    sizes = [len(batch) for batch in budget]
    assert sum(sizes) == len(RECORDS)
    assert max(sizes) == 2


def test_short_genes_are_not_padded_to_long_ones() -> None:
    records = [record(f"g{n}", "A" * n) for n in (9000, 7000, 5000, 3000, 90, 60, 30)]
    batches = TokenBudget(records, 10**6, gene_cost, gene_cost)
    assert [[len(r.sequence) for r in batch] for batch in batches] == [
        [9000, 7000, 5000],
        [3000],
        [90, 60, 30],
    ]
    assert [len(batch) for batch in TokenBudget(records, 10**6, gene_cost, lambda _: 1)] == [7]


def test_cache_key_does_not_depend_on_the_order_of_its_parts() -> None:
    assert cache_key({"a": 1, "b": 2}) == cache_key({"b": 2, "a": 1})
    assert cache_key({"a": 1, "b": 2}) != cache_key({"a": 2, "b": 1})


def test_cuda_that_is_absent_is_refused() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(InputError, match="compute on the CPU"):
        module.pick_device("cuda")
