"""``genescribe train``: a model of your own, or one that there is trained further."""

from __future__ import annotations

import click

from genescribe.cli import options
from genescribe.cli.grammar import PATH, Arguments, Option, command
from genescribe.cli.settings import option_of
from genescribe.inference.settings import ModelSettings

EPILOG = """\
The same command goes on where a stopped one was. On several GPUs:
  accelerate launch -m genescribe train --config ...
"""
USAGE = """\
    genescribe run --model spec.yaml --genome genome.fa --annotation genes.gff3 --out results

`genescribe evaluate` tells how often its texts are right, `genescribe calibrate` fits its scores.
"""


@command(
    Option(
        "--config",
        type=PATH,
        required=True,
        metavar="YAML",
        help="what to train, and how (config/train/*.yaml; tiny.yaml explains each key)",
    ),
    Option(
        "--corpus",
        type=PATH,
        required=True,
        metavar="JSONL",
        help="written by genescribe corpus",
    ),
    Option(
        "--splits", type=PATH, required=True, metavar="TSV", help="written by genescribe splits"
    ),
    Option("--work", type=PATH, required=True, metavar="DIR", help="checkpoints and log.csv"),
    options.out("DIR", "folder of the trained model"),
    Option(
        "--device",
        type=click.Choice(["auto", "cpu"]),
        default="auto",
        help="where to compute; auto is GPUs if there are any",
    ),
    option_of(ModelSettings, "threads"),
    options.FORCE,
    epilog=EPILOG,
)
def train(args: Arguments) -> None:
    """Train, and say where the model is."""
    import torch

    from genescribe.cli.progress import progress_of
    from genescribe.training.train import TrainInputs, train

    if args.threads is not None:
        torch.set_num_threads(args.threads)
    loss = train(
        TrainInputs(args.config, args.corpus, args.splits),
        args.work,
        args.out,
        device=args.device,
        force=args.force,
        usage=USAGE.strip("\n"),
        progress=progress_of(args, "train", "steps"),
    )
    if loss is not None:
        print(f"written {args.out}: validation loss {loss:.3f} nats per token")
