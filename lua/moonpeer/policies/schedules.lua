--- schedules - what is done again and again, and when.
---
--- A job has a name and: every (how long from one run to the next), jitter
--- (0.1 moves each by up to a tenth, so that a thousand engines do not save in
--- the same second), at_start, after_ban (also at once when a peer was banned),
--- changes (also after so many changes of the store), run (a function; save,
--- discover, expire and report bring their own). A job of the same name in the
--- engine's configuration or in a policy before this one takes its place, and
--- `save = false` does without.
local schedules = {
  name = "schedules",
  schedule = {
    save = { every = "5m", jitter = 0.1, after_ban = true },
  },
}

return schedules
