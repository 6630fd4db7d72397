"""`snakemake` in this folder: all of the workflow is in workflow/Snakefile."""


include: "workflow/Snakefile"


# an included rule is never the default target, whatever it says of itself
workflow.default_target = "all"
