rule train:
    input:
        config=config["train"]["config"],
        corpus=rules.corpus.output.corpus,
        splits=rules.splits.output.splits,
    output:
        directory("results/training/model"),
    log:
        "results/training/logs/train.log",
    benchmark:
        "results/training/benchmarks/train.tsv"
    retries: config["retries"]  # goes on from the last checkpoint
    conda:
        "../../envs/model.yaml"
    threads: config["train"]["threads"]
    resources:
        mem_mb=memory("train"),
        runtime=config["train"]["runtime"],
        gpu=config["train"]["gpu"],
    params:
        genescribe=genescribe,
        source=source_hash("genescribe.cli.train", "train"),
        work="results/training/work",
    shell:
        "{params.genescribe} train --config {input.config:q} --corpus {input.corpus:q}"
        " --splits {input.splits:q} --work {params.work:q} --out {output:q}"
        " --threads {threads} --force &> {log:q}"
