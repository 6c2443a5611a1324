"""``genescribe train``: a model of your own, or one that there is trained further."""

from __future__ import annotations

import argparse
from pathlib import Path

from genescribe.cli import options

EPILOG = """\
The same command goes on where a stopped one was. On several GPUs:
  accelerate launch -m genescribe train --config ...
"""
USAGE = """\
    genescribe run --model spec.yaml --genome genome.fa --annotation genes.gff3 --out results

`genescribe evaluate` tells how often its texts are right, `genescribe calibrate` fits its scores.
"""


def add_parsers(command: options.Command) -> None:
    """Add ``train``."""
    parser = command("train", "train a model on genes that have descriptions", "train")
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--config",
        type=Path,
        required=True,
        metavar="YAML",
        help="what to train, and how (config/train/*.yaml; tiny.yaml explains each key)",
    )
    parser.add_argument(
        "--corpus", type=Path, required=True, metavar="JSONL", help="written by genescribe corpus"
    )
    parser.add_argument(
        "--splits", type=Path, required=True, metavar="TSV", help="written by genescribe splits"
    )
    parser.add_argument(
        "--work", type=Path, required=True, metavar="DIR", help="checkpoints and log.csv"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of the trained model"
    )
    parser.add_argument(
        "--device",
        choices=("auto", "cpu"),
        default="auto",
        help="where to compute (default: auto, GPUs if there are any)",
    )
    parser.add_argument(
        "--threads", type=options.positive, metavar="N", help="CPU threads (default: all cores)"
    )
    options.add_force(parser)
    options.add_common(parser)


def train(args: argparse.Namespace) -> None:
    """Train, and say where the model is."""
    import torch

    from genescribe.cli.progress import ProgressLine
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
        progress=None if args.quiet else ProgressLine("train", unit="steps"),
    )
    if loss is not None:
        print(f"written {args.out}: validation loss {loss:.3f} nats per token")
