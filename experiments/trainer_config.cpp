#include "experiments/trainer_config.h"

namespace bitlab {

void TrainConfig::fields(FieldVisitor& v) {
  v.field("steps", steps, {.help = "optimiser steps", .min = 1});
  v.field("batch_size", batch_size, {.help = "sequences in a micro-batch", .min = 1});
  v.field("shards", shards,
          {.help = "parts of a micro-batch, each summed on its own; they define the "
                   "arithmetic and the most threads that one run can use",
           .min = 1});
  v.field("accumulate", accumulate, {.help = "micro-batches in a step", .min = 1});
  v.field("log_every", log_every,
          {.help = "steps between rows of /train", .min = 1, .hashed = false});
  v.field("checkpoint_every", checkpoint_every,
          {.help = "steps between checkpoints", .min = 1, .hashed = false});
  v.field("keep_checkpoints", keep_checkpoints,
          {.help = "newest checkpoints to keep", .min = 1, .hashed = false});
  v.field("diverged_factor", diverged_factor,
          {.help = "a loss above this many times that of step 0, or 0.5 nats if that is more, ends "
                   "the run as diverged",
           .min = 1});
  v.require(batch_size % shards == 0, "shards", "must divide train.batch_size",
            "try shards = 1 or a divisor of the batch size");
}

void EvalConfig::fields(FieldVisitor& v) {
  v.field("every", every,
          {.help = "steps between evaluations; step 0 and the last step always", .min = 1});
  v.field("protocol", protocol,
          {.help = "full: every token of the split once; random: that many random batches",
           .choices = {"full", "random"}});
  v.field("batches", batches, {.help = "batches of the random protocol", .min = 1});
  v.field("train_batches", train_batches,
          {.help = "random batches of the training split evaluated as well, 0 for none", .min = 0});
}

}  // namespace bitlab
