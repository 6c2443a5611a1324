rule extract:
    input:
        genome=genome,
        annotation=annotation,
        specs=model_specs,
    output:
        genes=ensure("results/{assembly}/genes.tsv", non_empty=True),
        sequences=ensure("results/{assembly}/sequences.fa.gz", non_empty=True),
        record="results/{assembly}/records/extract.json",
    log:
        "results/{assembly}/logs/extract.log",
    benchmark:
        "results/{assembly}/benchmarks/extract.tsv"
    retries: config["retries"]
    conda:
        "../../envs/genome.yaml"
    threads: 1
    resources:
        mem_mb=memory("extract"),
        runtime=config["extract"]["runtime"],
    params:
        genescribe=genescribe,
        source=source_hash("genescribe.cli.commands", "extract"),
        genome=genome_option,
        models=model_options,
        view=config["extract"]["view"],
        flank=config["extract"]["flank"],
        min_length=config["extract"]["min_length"],
        exclude=",".join(config["extract"]["exclude_biotypes"]),
        missing=option("--allow-missing-contigs", config["extract"]["allow_missing_contigs"]),
    shell:
        "{params.genescribe} extract {params.genome} --annotation {input.annotation:q}"
        " --out results/{wildcards.assembly} {params.models} --view {params.view}"
        " --flank {params.flank} --min-length {params.min_length}"
        " --exclude-biotypes {params.exclude:q} {params.missing} --record {output.record:q} --force 2> {log:q}"
