rule describe:
    input:
        genes=rules.extract.output.genes,
        sequences=rules.extract.output.sequences,
        specs=model_specs,
    output:
        # may be empty: an assembly can have fewer genes than shards
        descriptions="results/{assembly}/descriptions/{scatteritem}.jsonl",
        record="results/{assembly}/records/describe.{scatteritem}.json",
    log:
        "results/{assembly}/logs/describe.{scatteritem}.log",
    benchmark:
        "results/{assembly}/benchmarks/describe.{scatteritem}.tsv"
    retries: config["retries"]
    conda:
        "../../envs/model.yaml"
    threads: config["describe"]["threads"]
    resources:
        mem_mb=memory("describe"),
        runtime=config["describe"]["runtime"],
        gpu=config["describe"]["gpu"],
    params:
        genescribe=genescribe,
        source=source_hash("genescribe.cli.commands", "describe"),
        shard=shard,
        models=model_options,
        identities=model_identities,
        prompt=option("--prompt", config["prompt"]),
        question=option("--question", config["question"]),
        settings=[option("--set", f"{key}={value}") for key, value in config["settings"].items()],
        organism=organism_option,
        device=config["describe"]["device"],
        cache=option("--cache", config["cache"]),
    shell:
        "{params.genescribe} describe --genes {input.genes:q} --sequences {input.sequences:q}"
        " --out {output.descriptions:q} --shard {params.shard} {params.models}"
        " {params.prompt} {params.question} {params.settings} {params.organism}"
        " --device {params.device} --threads {threads} {params.cache}"
        " --record {output.record:q} --force 2> {log:q}"


rule gather:
    input:
        genes=rules.extract.output.genes,
        shards=gather.describe("results/{{assembly}}/descriptions/{scatteritem}.jsonl"),
    output:
        jsonl="results/{assembly}/descriptions.jsonl",
        tsv=report(
            "results/{assembly}/descriptions.tsv",
            caption="../report/descriptions.rst",
            category="{assembly}",
            labels={"result": "Table of descriptions"},
        ),
        record="results/{assembly}/records/gather.json",
    log:
        "results/{assembly}/logs/gather.log",
    benchmark:
        "results/{assembly}/benchmarks/gather.tsv"
    retries: config["retries"]
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory("report"),
        runtime=config["report"]["runtime"],
    params:
        genescribe=genescribe,
        source=source_hash("genescribe.cli.commands", "gather"),
    shell:
        "{params.genescribe} gather --genes {input.genes:q} --out {output.jsonl:q}"
        " {input.shards:q} --record {output.record:q} --force 2> {log:q}"
