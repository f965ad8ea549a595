"""The CDK app: `python -m infra.app`, started by the CDK CLI. Needs no credentials and no network."""

import sys
from collections.abc import Mapping
from typing import Any

from aws_cdk import App, IStackSynthesizer, Validations
from cdk_nag import AwsSolutionsChecks

from incidentio.core.errors import InvalidInput
from infra.asset import stage
from infra.documents import load_bundle
from infra.forwarder import ForwarderStack
from infra.layer import LayerError, layer_directory
from infra.options import OptionError, Options, read_options
from infra.stack import IncidentioStack


def build_app(context: Mapping[str, Any] | None = None, *, outdir: str | None = None) -> App:
    """The construct tree of one deployment, ready to synthesise: the app, or what forwards to one elsewhere.

    Raises:
        OptionError, InvalidInput, LayerError: the context, the YAML or the layer is wrong; one clear message.
    """
    app = App(context=dict(context or {}), outdir=outdir)
    options = read_options(app.node)
    if options.forward_to:
        ForwarderStack(
            app, stack_name=options.stack_name, bus_arn=options.forward_to, synthesizer=_synthesizer(options)
        )
    else:
        bundle = load_bundle(options.catalog, *options.playbooks)
        IncidentioStack(
            app,
            options=options,
            bundle=bundle,
            code=stage(bundle),
            layer=layer_directory("local" if options.local else "aws"),
            synthesizer=_synthesizer(options),
        )
    if options.local:
        from infra.local.adapt import adapt  # noqa: PLC0415 - nothing of the local target in a deployment to AWS

        adapt(app)
    else:
        Validations.of(app).add_plugins(AwsSolutionsChecks(app, verbose=True))
    return app


def _synthesizer(options: Options) -> IStackSynthesizer | None:
    if not options.local:
        return None
    from infra.local.adapt import synthesizer  # noqa: PLC0415

    return synthesizer()


def main() -> int:
    """Synthesise into the CDK CLI's output folder."""
    try:
        build_app().synth()
    except (OptionError, InvalidInput, LayerError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
