rule record:
    input:
        rules.extract.output.record,
        gather.describe("results/{{assembly}}/records/describe.{scatteritem}.json"),
        rules.gather.output.record,
        rules.decorate.output.record,
    output:
        ensure("results/{assembly}/run.json", non_empty=True),
    log:
        "results/{assembly}/logs/record.log",
    benchmark:
        "results/{assembly}/benchmarks/record.tsv"
    retries: config["retries"]
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory("report"),
        runtime=config["report"]["runtime"],
    params:
        genescribe=genescribe,
        source=source_hash("genescribe.cli.commands", "record"),
        workflow=f"snakemake {snakemake_version}",
    shell:
        "{params.genescribe} record --out {output:q} {input:q}"
        " --workflow {params.workflow:q} --force 2> {log:q}"


rule report:
    input:
        genes=rules.extract.output.genes,
        descriptions=rules.gather.output.jsonl,
        run=rules.record.output,
    output:
        html=report(
            ensure("results/{assembly}/report.html", non_empty=True),
            caption="../report/report.rst",
            category="{assembly}",
            labels={"result": "Report"},
        ),
        multiqc=ensure("results/{assembly}/genescribe_mqc.tsv", non_empty=True),
        record="results/{assembly}/records/report.json",
    log:
        "results/{assembly}/logs/report.log",
    benchmark:
        "results/{assembly}/benchmarks/report.tsv"
    retries: config["retries"]
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory("report"),
        runtime=config["report"]["runtime"],
    params:
        genescribe=genescribe,
        source=source_hash("genescribe.cli.commands", "report"),
    shell:
        "{params.genescribe} report --genes {input.genes:q} --descriptions {input.descriptions:q}"
        " --run {input.run:q} --title {wildcards.assembly:q} --out {output.html:q}"
        " --record {output.record:q} --force 2> {log:q}"
