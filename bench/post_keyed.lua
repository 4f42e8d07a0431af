-- Webhooks of 1 KiB, each with a key of its own: wrk -s bench/post_keyed.lua URL
wrk.method = "POST"
wrk.body = string.format('{"fill":"%s"}', string.rep("x", 1024 - 11))
wrk.headers["Content-Type"] = "application/json"
local run, count = tostring(os.time()), 0
function request()
  count = count + 1
  wrk.headers["Idempotency-Key"] = string.format("%s-%d", run, count)
  return wrk.format()
end
