"""Loading checkpoints: every file is compared with its pinned sha256 before it is parsed.

Weights go straight to the device and dtype they are computed with; nothing is built twice.
"""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from peft import PeftConfig, get_peft_model
from peft.utils import set_peft_model_state_dict
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, PreTrainedModel
from transformers.utils import logging as transformers_logging

from genescribe.errors import CheckpointError, InputError, Remedy
from genescribe.models.assembly import configuration_of, empty_model
from genescribe.models.encoders import build_encoder
from genescribe.models.footprint import check_fit
from genescribe.models.generation import SequenceTextModel
from genescribe.models.modeling import SequenceChatModel
from genescribe.models.processing import (
    SEQUENCE_TOKENIZER_FOLDER,
    SequenceChatProcessor,
    SequenceTextProcessor,
    load_tokenizer,
)
from genescribe.specs.spec import ModelSpec, verify

Model = SequenceChatModel | SequenceTextModel
Processor = SequenceChatProcessor | SequenceTextProcessor

ADAPTER_FILE = "adapter_model.safetensors"
PROJECTOR_FILE = "projector.safetensors"
PICKLES = (".bin", ".pth", ".pt", ".ckpt", ".pkl")
SHOWN_NAMES = 3

KEPT_IN_16_BIT = ["encoder", "pooling", "projector", "null_sequence", "lm_head"]


def load(
    spec: ModelSpec, device: str | torch.device, dtype: torch.dtype
) -> tuple[Model, Processor]:
    """Return model (in evaluation mode) and processor of a spec, without any network access.

    Raises CheckpointError if a file is missing, pickled or truncated, differs from what the spec
    pins, or does not hold exactly the tensors of the architecture; and InputError, with the
    numbers, where the model does not fit into the free memory.
    """
    device = torch.device(device)
    check_files(spec)
    configuration_of(spec)
    if device.type != "meta":
        _check_quantisation(spec, device)
        check_fit(spec, device, dtype)
    verify(spec)
    for path in spec.files:
        if path.suffix == ".safetensors":
            _check_header(path)
    model: Model
    with quiet_transformers():
        if spec.architecture == "causal_lm":
            model = SequenceTextModel(_language_model(spec, device, dtype))
        elif spec.weights.parts:
            model = assemble(spec, device, dtype)
        else:
            model = _from_pretrained(SequenceChatModel, spec.weights.folder, spec, device, dtype)
    _check_no_sequence(spec, model)
    return model.eval(), load_processor(spec, model)


def check_files(spec: ModelSpec) -> None:
    """Raise CheckpointError where weights are pickles: opening one can run any code."""
    for path in spec.weights.paths:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        pickles = [file for file in files if file.suffix in PICKLES]
        if pickles and not any(file.suffix == ".safetensors" for file in files):
            raise CheckpointError(
                f"{pickles[0]}: a pickle, which is not opened here, since it could run code",
                Remedy.CONVERT_CHECKPOINT,
            )


def assemble(
    spec: ModelSpec,
    device: torch.device,
    dtype: torch.dtype,
    new: frozenset[str] = frozenset(),
) -> SequenceChatModel:
    """Put a model together from encoder, projector and language model.

    Of parts named in ``new`` no weights are read: theirs are random.
    """
    config = configuration_of(spec)
    model: Any = empty_model(config)
    with torch.device(device):
        model.encoder = build_encoder(config.encoder_config)
        if "language_model" in new:
            model.language_model = AutoModelForCausalLM.from_config(config.text_config)
        if "projector" in new:
            model.add_projecting_parts()
    if "language_model" not in new:
        model.language_model = _language_model(spec, device, dtype)
    if "encoder" not in new:
        encoder = spec.weights.parts["encoder"]
        _fill(model.encoder, encoder, model.encoder.state_dict(), device, dtype)
    if "projector" not in new:
        projector = spec.weights.parts["projector"]
        path = projector / PROJECTOR_FILE if projector.is_dir() else projector
        _fill(model, path, model.projecting_tensors(), device, dtype)
    assembled: SequenceChatModel = model
    return assembled


def _language_model(spec: ModelSpec, device: torch.device, dtype: torch.dtype) -> Any:
    """Load any causal language model of transformers; an adapter is merged into it."""
    folder = spec.weights.of("language_model")
    model = _from_pretrained(AutoModelForCausalLM, folder, spec, device, dtype)
    if "adapter" in spec.weights.parts:
        return _merge_adapter(model, spec.weights.parts["adapter"])
    return model


def _from_pretrained(
    kind: Any, folder: Path, spec: ModelSpec, device: torch.device, dtype: torch.dtype
) -> Any:
    """Load a folder in the layout of transformers, one file or shards; every tensor must match."""
    settings: dict[str, Any] = {}
    if spec.quantisation != "none" and device.type == "cuda":
        settings["quantization_config"] = BitsAndBytesConfig(
            **{f"load_in_{spec.quantisation}": True},
            bnb_4bit_quant_type="nf4",
            bnb_4bit_compute_dtype=dtype,
            llm_int8_skip_modules=KEPT_IN_16_BIT,
        )
    try:
        model, info = kind.from_pretrained(
            str(folder),
            dtype=dtype,
            device_map={"": device},
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # named below, with both shapes
            **settings,
        )
    except (OSError, ValueError, SafetensorError) as error:
        reason = str(error).split("\n")[0]
        raise CheckpointError(f"{folder}: not usable ({reason}); convert it again") from error
    shapes = [(str(name), tuple(old), tuple(new)) for name, old, new in info["mismatched_keys"]]
    _check_tensors(folder, info["missing_keys"], info["unexpected_keys"], shapes)
    return model


def _fill(
    module: nn.Module,
    path: Path,
    wanted: dict[str, Tensor],
    device: torch.device,
    dtype: torch.dtype,
) -> None:
    """Set the ``wanted`` tensors of a module from a safetensors file, or from all of a folder."""
    files = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
    read = {name: tensor for file in files for name, tensor in load_file(file).items()}
    _check_tensors(
        path,
        wanted.keys() - read.keys(),
        read.keys() - wanted.keys(),
        [
            (name, tuple(tensor.shape), tuple(wanted[name].shape))
            for name, tensor in read.items()
            if name in wanted and tensor.shape != wanted[name].shape
        ],
    )
    tensors = {
        name: tensor.to(device, dtype if tensor.is_floating_point() else tensor.dtype)
        for name, tensor in read.items()
    }
    module.load_state_dict(tensors, strict=False, assign=True)


def _merge_adapter(model: PreTrainedModel, folder: Path) -> Any:
    """Add a low-rank adapter (LoRA, Hu et al. 2022) that peft wrote to the weights it adapts."""
    path = folder / ADAPTER_FILE
    if not path.is_file():
        raise CheckpointError(f"{path}: missing; save the adapter with peft, as safetensors")
    try:
        config = PeftConfig.from_pretrained(str(folder))
        adapted = get_peft_model(model, config)
        result: Any = set_peft_model_state_dict(adapted, load_file(path))
    except (OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise CheckpointError(f"{path}: does not fit the language model ({reason})") from error
    missing = [name for name in result.missing_keys if ".lora_" in name]
    _check_tensors(path, missing, result.unexpected_keys, [])
    return adapted.merge_and_unload()


def _check_tensors(
    path: Path,
    missing: Iterable[str],
    unexpected: Iterable[str],
    mismatched: Iterable[tuple[str, tuple[int, ...], tuple[int, ...]]],
) -> None:
    """Raise CheckpointError naming tensors that are missing, unknown, or of another shape."""
    shapes = [f"{name} is {old}, the model's is {new}" for name, old, new in sorted(mismatched)]
    for what, names in (
        ("other shapes", shapes),
        ("missing tensors", sorted(missing)),
        ("unknown tensors", sorted(unexpected)),
    ):
        if names:
            more = len(names) - SHOWN_NAMES
            shown = "; ".join(names[:SHOWN_NAMES]) + (f"; and {more} more" if more > 0 else "")
            raise CheckpointError(f"{path}: {what}: {shown}; the weights are of another model")


def _check_header(path: Path) -> None:
    try:
        with safe_open(path, framework="pt"):
            pass
    except SafetensorError as error:
        raise CheckpointError(
            f"{path}: damaged or truncated safetensors ({error}); fetch or convert it again"
        ) from error


def _check_quantisation(spec: ModelSpec, device: torch.device) -> None:
    if spec.quantisation == "none":
        return
    if device.type != "cuda":
        raise InputError(
            f"model {spec.name}: quantisation {spec.quantisation} works on CUDA only, not on "
            f"{device.type}; set quantisation: none in the spec"
        )
    if importlib.util.find_spec("bitsandbytes") is None:
        raise InputError(
            f"model {spec.name}: quantisation {spec.quantisation} needs bitsandbytes; "
            "pip install 'genescribe[quantised]', or set quantisation: none in the spec"
        )


def _check_no_sequence(spec: ModelSpec, model: Model) -> None:
    if spec.no_sequence == "learned" and not getattr(model.config, "null_slots", 0):
        raise InputError(
            f"model {spec.name}: no_sequence is learned, but its weights have no vectors for it; "
            "set no_sequence: shuffled in the spec"
        )


def load_processor(spec: ModelSpec, model: Model, tokenizer: Any = None) -> Processor:
    """Return the processor of a model that is loaded: the tokenizers beside its weights.

    ``tokenizer`` is the language model's where there is none beside its weights.
    """
    folder = spec.weights.of("language_model")
    tokenizer = tokenizer or load_tokenizer(folder)
    if isinstance(model, SequenceTextModel):
        room = spec.generation["max_new_tokens"]
        return SequenceTextProcessor(tokenizer, model.config, spec.prompt, room)
    processor = SequenceChatProcessor(tokenizer, model.config, spec.prompt)
    processor.reader.load(reader_folder(spec), model.encoder)
    return processor


def reader_folder(spec: ModelSpec) -> Path:
    """Return where the files lie with which a spec's encoder reads: in a folder of their own, as
    convert writes it, or beside the weights of an encoder that is a part."""
    encoder = spec.weights.of("encoder")
    inside = encoder / SEQUENCE_TOKENIZER_FOLDER
    return inside if inside.is_dir() or not spec.weights.parts else encoder


@contextlib.contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep transformers' bars and reports out of the user's terminal: errors say it in a line."""
    has_bars = transformers_logging.is_progress_bar_enabled()
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if has_bars:
            transformers_logging.enable_progress_bar()
