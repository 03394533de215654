# embed - writes the Lua files as C arrays. Run as a script:
#   cmake -D OUTPUT=x.c -D "FILES=folder|path;folder|path" -P embed.cmake
# A file is known by its path in the folder: moonpeer/cli/init.lua is the
# module "moonpeer.cli", and tracebacks call it moonpeer/cli/init.lua.
set(arrays "")
set(rows "")
set(number 0)
foreach(file IN LISTS FILES)
  string(REPLACE "|" ";" file "${file}")
  list(GET file 0 folder)
  list(GET file 1 path)
  string(REGEX REPLACE "(/init)?\\.lua$" "" module "${path}")
  string(REPLACE "/" "." module "${module}")
  file(READ "${folder}/${path}" bytes HEX)
  string(LENGTH "${bytes}" size)
  math(EXPR size "${size} / 2")
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(APPEND arrays
    "static const unsigned char file_${number}[] = {${bytes}0};\n")
  string(APPEND rows
    "  {\"${module}\", \"@${path}\", file_${number}, ${size}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE "${OUTPUT}"
  "/* The Lua files. Written by src/script/embed.cmake. */\n"
  "#include \"script/embed.h\"\n\n"
  "${arrays}\n"
  "const struct embed embed_list[] = {\n${rows}  {0}};\n")
