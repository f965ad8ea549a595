"""The CDK app and its tooling."""
