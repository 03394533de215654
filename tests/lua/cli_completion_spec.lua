--- What `moonpeer completion` prints completes in the shells it is for.
local process = require "support.process"

local folder

--- Runs a shell, where moonpeer is the executable, over a text.
local function shell(command, text)
  local path = folder .. "/script"
  do
    local file <close> = assert(io.open(path, "w"))
    file:write(text)
  end
  return (process.run(("PATH=%s:$PATH HOME=%s timeout 60 %s %s"):format(
    folder, folder, command, path)))
end

--- The words that could stand at the end of a line, one to a line.
local completes = {}

function completes.bash(line)
  return shell("bash --norc", ([==[
    source <(moonpeer completion bash)
    line='%s'
    read -ra COMP_WORDS <<<"$line"
    [[ $line == *' ' ]] && COMP_WORDS+=('')
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$line
    COMP_POINT=${#line}
    set -- $(complete -p moonpeer)
    while [ "$1" != -F ]; do shift; done
    $2 moonpeer "${COMP_WORDS[COMP_CWORD]}"
    printf '%%s\n' "${COMPREPLY[@]}"]==]):format(line))
end

function completes.fish(line)
  return shell("fish", ([==[
    moonpeer completion fish | source
    complete -C '%s' | string replace -r '\t.*' '']==]):format(line))
end

--- It completes at a terminal only; what it has made of the line is printed.
--- What marks that is written otherwise where it is typed, and may be echoed.
function completes.zsh(line)
  return shell("zsh -f", ([==[
    zmodload zsh/zpty
    zpty z zsh -f -i
    zpty -w z "PS1= ; stty -echo; unsetopt zle_bracketed_paste"
    zpty -w z "autoload -U compinit; compinit -u -d %s/dump"
    zpty -w z "source <(moonpeer completion zsh)"
    zpty -w z "show() { print -r -- \$'\x01'\$BUFFER\$'\x02'; zle kill-buffer }"
    zpty -w z "zle -N show; bindkey '^T' show; print is' 'ready"
    zpty -r -m z heard '*is ready*'
    zpty -w -n z '%s'$'\t\x14'
    zpty -r -m z heard $'*\x01*\x02*'
    heard=${heard##*$'\x01'}
    print -r -- "${heard%%%%$'\x02'*}"]==]):format(folder, line))
end

for name, words in pairs(completes) do
  describe("in " .. name, function()
    setup(function()
      folder = process.run("mktemp -d"):match "[^\n]+"
      process.run(("ln -s \"$(realpath %s)\" %s/moonpeer"):format(
        process.quote(process.executable), folder))
    end)

    teardown(function()
      os.execute("rm -r " .. folder)
    end)

    for line, word in pairs {
      ["moonpeer ex"] = "explain", ["moonpeer run --netw"] = "--network",
      ["moonpeer peers --j"] = "--json",
      ["moonpeer completion f"] = "fish",
      ["moonpeer run --log w"] = "warning",
      ["moonpeer run --network reg"] = "regtest",
    } do
      it(("%q is completed"):format(line), function()
        local _, _, code = process.run("command -v " .. name)
        if code ~= 0 then
          return pending(name .. " is not installed")
        end
        assert.matches(word, words(line), 1, true)
      end)
    end
  end)
end
