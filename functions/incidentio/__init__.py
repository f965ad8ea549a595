"""incidentio: from alarm to archived postmortem."""

import gc

# What importing makes lives as long as the process: searching it for rubbish, as Python does every 700 new
# objects, is a fifth of a Lambda function's cold start.
gc.set_threshold(100_000, 20, 100)
