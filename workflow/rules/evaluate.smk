rule evaluate:
    input:
        descriptions=rules.gather.output.jsonl,
        references=references,
    output:
        html=report(
            ensure("results/{assembly}/evaluation/evaluation.html", non_empty=True),
            caption="../report/evaluation.rst",
            category="{assembly}",
            labels={"result": "Evaluation"},
        ),
        figures=expand(
            "results/{{assembly}}/evaluation/{name}",
            name=["evaluation.json", "evaluation.tsv", "evaluation.md", "texts.tsv"],
        ),
    log:
        "results/{assembly}/logs/evaluate.log",
    benchmark:
        "results/{assembly}/benchmarks/evaluate.tsv"
    retries: config["retries"]
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=memory("evaluate"),
        runtime=config["evaluate"]["runtime"],
    params:
        genescribe=genescribe,
        source=source_hash("genescribe.cli.evaluate", "evaluate"),
        right=config["evaluate"]["right"],
    shell:
        "{params.genescribe} evaluate --descriptions {input.descriptions:q}"
        " --references {input.references:q} --right {params.right}"
        " --out results/{wildcards.assembly}/evaluation --force &> {log:q}"
