rule decorate:
    input:
        annotation=annotation,
        descriptions=rules.gather.output.jsonl,
    output:
        # outputs cannot depend on what is in a file, so two are not declared: the index of the
        # sorted copy, .tbi or for sequences beyond 2^29 nt .csi, and {assembly}.gtf of GTF input
        gff3=ensure("results/{assembly}/{assembly}.gff3", non_empty=True),
        sorted=ensure("results/{assembly}/{assembly}.sorted.gff3.gz", non_empty=True),
        record="results/{assembly}/records/decorate.json",
    log:
        "results/{assembly}/logs/decorate.log",
        # every text that was changed to fit into column 9, old -> new
        edits="results/{assembly}/logs/decorate.edits.log",
    benchmark:
        "results/{assembly}/benchmarks/decorate.tsv"
    retries: config["retries"]
    conda:
        "../../envs/genome.yaml"
    threads: 1
    resources:
        mem_mb=memory("decorate"),
        runtime=config["decorate"]["runtime"],
    params:
        genescribe=genescribe,
        source=source_hash("genescribe.cli.commands", "decorate"),
        attribute=config["decorate"]["attribute"],
        ascii=option("--ascii", config["decorate"]["ascii"]),
        uncertain=option("--write-uncertain", config["decorate"]["write_uncertain"]),
    shell:
        "{params.genescribe} decorate --annotation {input.annotation:q}"
        " --descriptions {input.descriptions:q} --out {output.gff3:q}"
        " --attribute {params.attribute:q} {params.ascii} {params.uncertain}"
        " --record {output.record:q} --log {log.edits:q} --force 2> {log[0]:q}"
