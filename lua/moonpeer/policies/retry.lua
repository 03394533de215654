--- retry - when a peer that failed is dialled again.
---
--- The wait doubles with every failure in a row, up to a limit; chance moves it
--- both ways, so that peers which failed together are not dialled together.
--- The numbers are the engine's: initial_backoff, backoff_multiplier,
--- max_backoff, jitter; after max_retries it gives up by itself. It is
--- asked after connection_refused, connection_timeout and connection_reset, and
--- after any silence while our own network is down; what else fails is not
--- retried.
local retry = { name = "retry" }

function retry.retry(engine, _, failure)
  return engine:backoff(failure.attempts)
end

return retry
