"""`snakemake` in this folder: all of the workflow is in workflow/Snakefile."""


include: "workflow/Snakefile"


# an included rule is never the default target, even if declared so
workflow.default_target = "all"
