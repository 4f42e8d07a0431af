-- wrk: POST bodies of 1 KiB, as a webhook would come.
wrk.method = "POST"
wrk.body = '{"type":"bench","data":"' .. string.rep("x", 1024 - 27) .. '"}'
wrk.headers["Content-Type"] = "application/json"
wrk.headers["User-Agent"] = "bench"
