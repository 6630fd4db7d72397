"""Figures: one rule each, with the artefacts it draws and no others."""

for FIGURE, NAMES in FIGURES.items():

    rule:
        name:
            f"figure_{FIGURE}"
        input:
            unpack(partial(figure_inputs, names=NAMES)),
        output:
            pdf=f"results/{{survey}}/figures/{FIGURE}.pdf",
            png=report(
                f"results/{{survey}}/figures/{FIGURE}.png",
                caption=f"../report/{FIGURE}.rst",
                category=chapter(FIGURE),
                labels={"survey": "{survey}", "figure": FIGURE.replace("_", " ")},
            ),
        log:
            f"logs/{{survey}}/figure_{FIGURE}.log",
        localrule: True
        conda:
            "../../envs/popsed.yaml"
        resources:
            config=CONFIG_FILE,
        params:
            name=FIGURE,
            code=code_of(f"figure {FIGURE}"),
        message:
            f"{{wildcards.survey}}: draw {FIGURE}"
        shell:
            "popsed figure {params.name} {output.pdf:q} {output.png:q}"
            " --config {resources.config:q} --survey {wildcards.survey} 2>&1 | tee {log:q}"
