"""The local AWS target: the real app, deployed by the real CDK CLI to an emulator on loopback."""
