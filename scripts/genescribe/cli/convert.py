"""``genescribe models convert``: published checkpoints become folders that genescribe loads."""

from __future__ import annotations

import click

from genescribe.cli import options
from genescribe.cli.grammar import PATH, Arguments, Option, command

DESCRIPTION = """\
Turn a published checkpoint into a folder of safetensors, configuration, tokenizers and SHA256SUMS.
Nothing in the checkpoint is run, every tensor is accounted for, and the checkpoint may be larger
than the memory.
"""
EPILOG = """\
Layouts, and what to give:
  genechat                checkpoint_N.pth; --tokenizer Vicuna's folder,
                          --encoder-tokenizer DNABERT-2's folder (their
                          config.json and tokenizer are read)
  dnabert2                the folder with pytorch_model.bin, config.json and
                          tokenizer.json
  rnafm                   RNA-FM_pretrained.pth
  genomicllm              ckpt_..._best.pt; --tokenizer its SentencePiece .model
  nucleotide-transformer  the folder with weights, config.json and vocab.txt
                          (v1 or v2)
  language-model          a language model of transformers that comes in
                          pickles (Vicuna)

RNA-GPT's authors publish no checkpoint. Convert RNA-FM and name it, a Llama-3
and a projector as the parts of a model spec (config/models/rnagpt-8b.yaml).
Language models in safetensors need no conversion.
"""


@command(
    Option(
        "--from", "layout", required=True, metavar="LAYOUT", help="published layout (see below)"
    ),
    click.Argument(["source"], type=PATH, metavar="SRC", help="checkpoint: a file or folder"),
    click.Argument(["target"], type=PATH, metavar="DST", help="folder to write"),
    Option(
        "--tokenizer",
        type=PATH,
        metavar="DIR",
        help="the language model's tokenizer: a folder or .model file (default: beside SRC)",
    ),
    Option(
        "--encoder-tokenizer",
        type=PATH,
        metavar="DIR",
        help="folder of the encoder's tokenizer (default: beside SRC)",
    ),
    Option(
        "--base",
        type=PATH,
        metavar="DIR",
        help="folder of the language model, where SRC holds only what was trained on top of it",
    ),
    Option(
        "--dtype",
        type=click.Choice(["keep", "float32", "bfloat16", "float16"]),
        default="keep",
        help="type of the weights to write; keep is that of each tensor",
    ),
    Option(
        "--lora-alpha",
        type=float,
        metavar="A",
        help="alpha of LoRA, where its rank is not the published 8 (then 16)",
    ),
    options.FORCE,
    help=DESCRIPTION,
    epilog=EPILOG,
)
def convert(args: Arguments) -> None:
    """Convert, and print what became of every tensor, also where the conversion is refused."""
    import torch

    from genescribe.cli.progress import progress_of
    from genescribe.errors import ConversionError
    from genescribe.models.convert import Companions, convert

    companions = Companions(args.tokenizer, args.encoder_tokenizer, args.base)
    try:
        done = convert(
            args.layout,
            args.source,
            args.target,
            companions,
            dtype=None if args.dtype == "keep" else getattr(torch, args.dtype),
            lora_alpha=args.lora_alpha,
            force=args.force,
            progress=progress_of(args, "convert", "tensors"),
        )
    except ConversionError as error:
        print("\n".join(error.report))
        raise
    print("\n".join(done.report))
    print(f"written {args.target}: {done.tensors} tensors, {done.weight_bytes / 1e9:.2f} GB")
