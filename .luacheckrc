std = "lua54"
max_line_length = 80
max_cyclomatic_complexity = 10
files["tests"].std = "+busted"
-- what a policy file finds without asking
files["scripts/*.lua"].read_globals = { "moonpeer" }
