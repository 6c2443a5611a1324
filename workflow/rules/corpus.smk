rule corpus:
    input:
        sheet=config["corpus"]["sources"],
        files=corpus_sources,
    output:
        corpus="results/corpus/corpus.jsonl.gz",
        report="results/corpus/corpus.report.json",
    log:
        "results/corpus/logs/corpus.log",
    benchmark:
        "results/corpus/benchmarks/corpus.tsv"
    retries: config["retries"]
    conda:
        "../../envs/mmseqs2.yaml"
    threads: 1
    resources:
        mem_mb=memory("corpus"),
        runtime=config["corpus"]["runtime"],
    params:
        genescribe=genescribe,
        source=source_hash("genescribe.cli.corpus", "corpus"),
    shell:
        "{params.genescribe} corpus {input.sheet:q} --out {output.corpus:q} --force &> {log:q}"


rule splits:
    input:
        rules.corpus.output.corpus,
    output:
        splits="results/corpus/splits.tsv",
        leakage="results/corpus/splits.leakage.tsv",
    log:
        "results/corpus/logs/splits.log",
    benchmark:
        "results/corpus/benchmarks/splits.tsv"
    retries: config["retries"]
    conda:
        "../../envs/mmseqs2.yaml"
    threads: config["corpus"]["threads"]
    resources:
        mem_mb=memory("corpus"),
        runtime=config["corpus"]["runtime"],
    params:
        genescribe=genescribe,
        source=source_hash("genescribe.cli.corpus", "splits"),
        by=config["corpus"]["by"],
        held_out=" ".join(option("--held-out", name) for name in config["corpus"]["held_out"]),
        validation=config["corpus"]["validation"],
        test=config["corpus"]["test"],
        mmseqs=option("--no-mmseqs", not config["corpus"]["mmseqs"]),
    shell:
        "{params.genescribe} splits {input:q} --out {output.splits:q} --by {params.by}"
        " {params.held_out} --validation {params.validation} --test {params.test} {params.mmseqs}"
        " --threads {threads} --force &> {log:q}"
