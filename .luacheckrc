std = "lua54"
max_line_length = 80
max_cyclomatic_complexity = 10
files["tests"].std = "+busted"
