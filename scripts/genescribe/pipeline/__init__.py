"""How the stages follow each other for one assembly (floor 4): knows no Snakemake, no Galaxy."""
