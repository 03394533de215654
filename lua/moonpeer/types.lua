---@meta moonpeer
-- Made by scripts/docs from lua/moonpeer/api/: for editors, never run.
-- luacheck: ignore
-- `moonpeer` is global for the prompt and for the files of policies.

---@class moonpeer.Network
---@field name string
---@field magic string
---@field port integer
---@field genesis string
---@field seeds string[]
---@field checks_user_agent boolean

--- What `require "moonpeer"` gives. What waits does so inside a task: in moonpeer.spawn, moonpeer.run, or at the prompt.
---@class moonpeer
---@field message moonpeer.message Frames and messages without an engine: see moonpeer.message.
---@field network table<string, moonpeer.Network> What is known of each network, by name: mainnet, testnet, stn, regtest and others; each has name, magic, port, genesis, seeds, checks_user_agent.
---@field version string This version: "major.minor.patch".
moonpeer = {}

--- Makes an engine: peers, connections and policies under one configuration. start() sets it going.
---@param configuration moonpeer.Configuration checked as a whole; an unknown key raises and names the nearest
---@return moonpeer.Engine|nil
---@return string?
---@return string?
function moonpeer.engine(configuration) end

---@class moonpeer.connect.Options
---@field network? string|table a name, or { name, magic, port }; mainnet
---@field user_agent? string up to 256 bytes
---@field protocol_version? integer 31800 to 2147483647; 70016
---@field keepalive? boolean answer pings and do not show them; true
---@field connect_timeout? number|string 1 ms to 1 h; 5 s
---@field handshake_timeout? number|string 1 ms to 1 h; 15 s
---@field ping_interval? number|string 0 (none) to 1 day; 0
---@field ping_timeout? number|string 1 ms to 1 day; 30 s
---@field receive_memory? integer bytes, 1 KiB to 1 GiB; 4 MiB
---@field send_memory? integer bytes, 1 KiB to 1 GiB; 1 MiB

--- Dials a peer: a connection without engine, store or policies behind it.
---@param address string "1.2.3.4:8333", "[::1]:8333" or "name:8333"; without a port the network's
---@param options? moonpeer.connect.Options options
---@return moonpeer.Connection|nil
---@return string?
---@return string?
function moonpeer.connect(address, options) end

--- Waits for peers that dial. Each connection becomes a task; without a function they wait for accept, 128 at most.
---@param address string port 0 chooses one
---@param fn? fun(connection: moonpeer.Connection)
---@param options? moonpeer.connect.Options as for connect
---@return moonpeer.Listener|nil
---@return string?
---@return string?
function moonpeer.listen(address, fn, options) end

---@class moonpeer.store.Options
---@field capacity? integer peers, 1 to 16,000,000; 65,536
---@field max_bans? integer bans, 1 to 16,000,000; 100,000
---@field ttl? table status -> duration or "forever", after which a peer is forgotten
---@field inaccessible_time? number|string until an inaccessible peer is unknown again, over 0 or "forever"; 24 h
---@field ban_time? number|string of a ban that says none, over 0 to 100 years; 24 h
---@field asmap? string a file that maps addresses to AS numbers
---@field read_only? boolean changes are never saved

--- Opens a peer store.
---@param url string|table "memory:", "json:peers.json", "sqlite:peers.db"; or a table of functions: load, apply, close
---@param options? moonpeer.store.Options options
---@return moonpeer.Store|nil
---@return string?
---@return string?
function moonpeer.store(url, options) end

--- Starts a function as a task: a coroutine that may wait. It runs from the next turn of the loop on.
---@param fn function
---@param ... any its arguments
---@return moonpeer.Task
function moonpeer.spawn(fn, ...) end

--- Runs the loop: until no engine, task or connection is left; with a function until that, a task, has ended. SIGINT, SIGTERM and SIGHUP end everything in order, a second SIGINT or SIGTERM at once. Runs do not nest.
---@param fn? function
---@param ... any its arguments
---@return any|nil
---@return string?
---@return string?
function moonpeer.run(fn, ...) end

--- Waits for a while.
---@param time number|string seconds, or a text such as "250ms", "10m", "24h"
---@return true
function moonpeer.sleep(time) end

--- Looks a name up.
---@param name string
---@param timeout? number|string seconds, or a text such as "250ms", "10m", "24h"; 30 s
---@return string[]|nil
---@return string?
---@return string?
function moonpeer.resolve(name, timeout) end

--- Monotonic time, of a world inside one.
---@return number
function moonpeer.now() end

--- Wall time, of a world inside one.
---@return number
function moonpeer.time() end

--- Does a text match a pattern of * and ?; the case of ASCII letters does not matter.
---@param text string
---@param pattern string
---@return boolean
function moonpeer.glob(text, pattern) end

--- Bytes as hex digits; 32 bytes, a hash, reversed as it is displayed.
---@param bytes string
---@return string
function moonpeer.hex(bytes) end

--- Peers, connections and policies under one configuration.
---@class moonpeer.Engine
---@field store moonpeer.Store Its peers and bans.
local engine = {}

--- Sets it going: listens, dials, saves.
---@return true|nil
---@return string?
---@return string?
function engine:start() end

--- Ends it in order: no more connections, then a last save. Returns at once; twice is fine.
---@param deadline? number|string 0 or more; shutdown_timeout
function engine:close(deadline) end

--- Walks the peers of its store.
---@param filter? moonpeer.Store.each.Options as for store:each
---@return fun(): moonpeer.Peer?
function engine:peers(filter) end

--- As counts; besides peers by status, messages and bytes by command, memory, and how late the loop is. events_lost counts what slow readers of engine:events have lost, too.
---@return table
function engine:stats() end

--- Does one of the trusted prefixes cover an address?
---@param address string
---@return boolean
function engine:trusts(address) end

--- Where it listens: the real port, also for port 0.
---@return string|nil
---@return string?
---@return string?
function engine:address() end

--- What is known of the network it speaks.
---@return moonpeer.Network
function engine:network() end

--- The configuration as it is now: durations in seconds, memory in bytes; network by name, listen (false for none), mode, peers and trusted as texts.
---@return table
function engine:config() end

--- Changes the configuration while it runs: all of it, or nothing when something is wrong. A schedule takes the place of the one before, a shadow of false ends the trial; network, policies, store and budget last as long as the engine: others are refused, with what to do instead.
---@param changes moonpeer.Configuration options
---@return table|nil
---@return string?
---@return string?
function engine:configure(changes) end

---@class moonpeer.Engine.on.Options
---@field command? string of "message", and of "chunk", payloads too large to be held

--- Calls a function whenever something happens. A listener of the same name is replaced. The event is stale when the function has returned.
---@param event moonpeer.EventType such as "handshake_complete"
---@param name string of the listener
---@param fn fun(event: moonpeer.Event) it may not wait
---@param options? moonpeer.Engine.on.Options options
function engine:on(event, name, fn, options) end

--- Takes a listener away; nothing happens when there is none.
---@param event moonpeer.EventType
---@param name string
function engine:off(event, name) end

---@class moonpeer.Engine.events.Options
---@field capacity? integer 1 or more; 1024
---@field events? moonpeer.EventType[] all but message, chunk and decision
---@field command? string of messages

--- A queue of events for a task. When it is full the oldest is dropped; the event after a gap has `lost`, their number, and engine:stats counts them all as events_lost.
---@param options? moonpeer.Engine.events.Options options
---@return fun(): moonpeer.QueuedEvent?
function engine:events(options) end

---@class moonpeer.Engine.connections.Options
---@field state? string "connected" ...
---@field inbound? boolean
---@field address? string

--- Walks the connections. Closing them meanwhile is safe.
---@param filter? moonpeer.Engine.connections.Options options
---@return fun(): moonpeer.Connection?
function engine:connections(filter) end

--- What it has done, and has now: connections, inbound, outbound, half_open, connected; dials, accepted, rejected, handshakes, evictions, bans, events_lost, and failures by code.
---@return table<string, integer>
function engine:counts() end

--- Dials an address, whatever the policies would select.
---@param address string an IP, and a port or the network's
---@return true|nil
---@return string?
---@return string?
function engine:dial(address) end

--- Closes connections: one, those of a peer, or all with an address.
---@param what moonpeer.Connection|moonpeer.Peer|string "1.2.3.4:8333", "1.2.3.4" for all ports, "1.2.0.0/16"
---@param reason? string
---@return integer
function engine:disconnect(what, reason) end

--- Sends a message to one connection or to a list of them.
---@param to moonpeer.Connection|moonpeer.Connection[]
---@param command string up to 12 bytes
---@param fields? table|string of the message, or its payload
---@return integer
---@return table
function engine:send(to, command, fields) end

--- Sends a message to all connections that have shaken hands.
---@param command string up to 12 bytes
---@param fields? table|string
---@param filter? moonpeer.Engine.connections.Options as for connections
---@return integer
---@return table
function engine:broadcast(command, fields, filter) end

---@class moonpeer.Engine.ban.Options
---@field time? number|string from 1 s, or "forever"; ban_time
---@field reason? string for people

--- Refuses an address or prefix, and closes what it covers.
---@param what string|moonpeer.Connection|moonpeer.Peer "1.2.3.4", "1.2.3.0/24", or a connection or peer for its address
---@param options? moonpeer.Engine.ban.Options options
---@return true|nil
---@return string?
---@return string?
function engine:ban(what, options) end

--- Ends the ban on exactly that address or prefix.
---@param what string
---@return true|nil
---@return string?
---@return string?
function engine:unban(what) end

--- Saves the store and waits until the bytes are durable.
---@param timeout? number|string forever
---@return true|nil
---@return string?
---@return string?
function engine:save(timeout) end

--- Saves from the next turn on; store_saved or store_failed tells.
function engine:save_soon() end

--- Starts a function as a task on the engine's loop.
---@param fn function
---@param ... any
---@return moonpeer.Task
function engine:spawn(fn, ...) end

--- Addresses of peers of a status, at random over network groups: for policies that select.
---@param n integer 0 to 256
---@param status string unknown, valid, inaccessible or banned
---@return string[]
function engine:pick(n, status) end

--- Addresses of the outbound peers that worked when it was last closed: for policies that select.
---@return string[]
function engine:anchors() end

--- How long to wait before the next dial, by the configuration: for policies that retry.
---@param attempts integer failures in a row, 0 to 1000000
---@return number
function engine:backoff(attempts) end

--- Looks up the DNS seeds now, besides the schedule; discovery_finished tells.
function engine:discover() end

--- Tells listeners of policy_failed, from the next turn on: what a schedule or a policy could not do.
---@param text string event.reason
function engine:complain(text) end

--- What each function of each policy has done so far, in the order in which they are asked.
---@return table[]
function engine:policies() end

--- The rules that policies declare, and what they counted.
---@return table[]
function engine:rules() end

--- The jobs of the schedule.
---@return table[]
function engine:schedule() end

--- Reads the policies that came from files again, from the next turn on. What does not compile, check or pass a trial changes nothing; what fails within 30 s after is taken back. Inside a task it waits for the outcome.
---@return true|nil
---@return string?
---@return string?
function engine:reload() end

--- Reloads by itself when a policy's file changes. What is wrong with the file policy_failed tells, and nothing changes.
---@param every? number|string|false how often it looks, 0.5 s; false: not any more
function engine:watch(every) end

--- Lets a policy decide beside the active ones, without effect: shadow mode.
---@param policy? moonpeer.Policy|string a policy or a file's name; nil ends it
---@return true|nil
---@return string?
---@return string?
function engine:try(policy) end

--- How the policy of try would have decided.
---@return table|nil
function engine:trial() end

--- The last 256 decisions, the oldest first: number, time, generation, decision, policy, rule, verdict, reason, address, inputs, and text, all of it in a line of printable ASCII.
---@param after? integer those with a number above it; 0
---@return table[]
function engine:decisions(after) end

--- Those decisions that are about one remote.
---@param what? string|moonpeer.Connection|moonpeer.Peer an address, with its port or without; all when left out
---@return table[]
function engine:explain(what) end

--- What moonpeer.engine and engine:configure take: a table. Durations are seconds or texts such as "10m".
---@class moonpeer.Configuration
---@field network? string|table The network that is spoken; it cannot change.
---@field listen? boolean|string Where to wait for peers; true: 0.0.0.0, the network's port.
---@field peers? string[] The only ones to dial: fixed mode, no discovery. They are kept: each is dialled again after any failure.
---@field mode? string Fixed when peers are given.
---@field store? string|moonpeer.Store Where peers are remembered; it cannot change.
---@field policies? (moonpeer.Policy|string)[] Asked in turn before the stock policies; the first answer wins. The list cannot change; those from files are read again by engine:reload.
---@field schedule? table<string, moonpeer.Job|false> Jobs that recur; false: none of the name.
---@field shadow? moonpeer.Policy|string|false Decides beside the others, without effect: see engine:trial.
---@field budget? table What a call of a policy may take: time that it computes, 0 for any; and bytes that all of Lua may hold meanwhile. Whoever needs more fails with "not enough memory", all garbage is collected, and the function is parked. It cannot change.
---@field trusted? string[] Never banned, throttled or evicted by stock policies.
---@field target_connections? integer Outbound connections to keep.
---@field max_connections? integer Connections in all; target_connections at least.
---@field connect_timeout? number|string Until a dial is given up.
---@field handshake_timeout? number|string From the open stream to the complete handshake.
---@field ping_interval? number|string Between a pong and the next ping; 0 for none.
---@field ping_timeout? number|string Until a pong is late.
---@field receive_memory? integer Largest message held for one connection.
---@field send_memory? integer Largest queue to one connection.
---@field receive_memory_total? integer Received and not yet handled, in all.
---@field send_memory_total? integer Queued to be sent, in all.
---@field protocol_version? integer What we say we speak.
---@field user_agent? string What we call ourselves.
---@field half_open? integer Inbound handshakes under way at once.
---@field per_address? integer Inbound connections from one address.
---@field per_group? integer Inbound connections from one network group, and how many of it may come in a second (4 at least); 0: a quarter of them.
---@field ban_time? number|string How long a ban lasts when its verdict does not say.
---@field inaccessible_time? number|string Until an inaccessible peer is unknown again.
---@field initial_backoff? number|string Before a peer is dialled for the second time.
---@field backoff_multiplier? number By which the wait grows.
---@field max_backoff? number|string The longest wait.
---@field max_retries? integer Failures in a row after which a peer is inaccessible.
---@field jitter? number The part of a wait that is up to chance, both ways.
---@field max_restarts? integer Connections made anew at once after a network failure.
---@field restart_window? number|string Within which these are counted.
---@field discovery_interval? number|string Between two look-ups of the DNS seeds.
---@field feeler_interval? number|string Between two tries of unknown peers; 0 for none.
---@field listen_retry? number|string Before a listener that failed is opened again.
---@field shutdown_timeout? number|string For closing in order.
---@field max_peers? integer Peers remembered.
---@field max_bans? integer Bans remembered.
local configuration = {}

--- A table of functions that decide. Each may be left out; nil is "no opinion", and the next policy is asked; the stock policies (lua/moonpeer/policies/) are the last. An answer that makes no sense, an error, and 10 ms without an end count as errors: the next is asked, engine:policies() counts them, policy_failed tells. After three in a row, or more than 10 of 200, the function is left alone for 30 s, tried once, and the third time disabled until a reload. A decision cannot wait. What it asks of the engine takes effect after it has returned. A policy from a file runs in an environment of its own: Lua's functions without io, os.exit, load, debug and collectgarbage, with bounded string and table functions, no __gc, no globals of its own; require gives "moonpeer" (glob, hex, network, now, time, version) and copies of "moonpeer.policies.NAME" to change.
---@class moonpeer.Policy
---@field name? string In logs and explanations.
---@field version? string For people.
---@field about? string For people.
---@field api? integer The interface it is for; another is refused.
---@field on? table<moonpeer.EventType, fun(event: moonpeer.Event)> As engine:on. They go with the policy at a reload. 50 ms each.
---@field rules? moonpeer.Rule[] Counted in C, before any function.
---@field schedule? table<string, moonpeer.Job|false> Jobs by name; false for none of the name.
---@field accept? fun(engine: moonpeer.Engine, address: string): (boolean|nil, string|nil) May somebody who dials us come in? The core has refused who is banned and who has too many connections.
---@field validate? fun(engine: moonpeer.Engine, connection: moonpeer.Connection, version: moonpeer.Version): ("ok"|"offence"|nil, string|nil, string|nil) Is this a peer to talk to? Asked once for each connection, when its version message has come.
---@field judge? fun(engine: moonpeer.Engine, connection: moonpeer.Connection, offence: moonpeer.Offence): (string|nil, string|nil, moonpeer.Verdict|nil) What to do about something that a peer did wrong. observe: only log; throttle: read nothing for a second; disconnect; discourage: and prefer others; ban: and refuse the address. A stream that makes no sense any more ends in any case.
---@field select? fun(engine: moonpeer.Engine, n: integer): ((string|moonpeer.Peer)[]|nil) Whom to dial. Those that are banned, connected or wait for their next try, and more than n are left out, whoever names them.
---@field retry? fun(engine: moonpeer.Engine, peer: moonpeer.Peer|nil, failure: moonpeer.Failure): (number|string|false|nil, string|nil) When a peer is dialled again after connection_refused, connection_timeout, connection_reset or, while our own network is down, any failure in silence. What else fails is not retried: another peer is selected.
---@field evict? fun(engine: moonpeer.Engine, candidates: moonpeer.Candidate[], address: string): (moonpeer.Connection|false|nil, string|nil) Who goes when all slots are taken and somebody else wants to come in.
---@field keep? fun(engine: moonpeer.Engine, address: string, source: string): (boolean|nil, string|nil) Is an address that a peer told of worth remembering? How many and how fast is limited by the core for each source.
---@field setup? fun(engine: moonpeer.Engine) Called once when the policy comes into force. When it fails the engine is not made, or the reload changes nothing.
---@field save? fun(): (any|nil) Called when a reload is about to replace it: what its successor's restore is given.
---@field restore? fun(state: any) Called after setup with what the one before has saved. When it fails the reload changes nothing.

--- Options of a ban, the third value of judge.
---@class moonpeer.Verdict
---@field time? number|string How long.
---@field scope? string Whom.

--- What a peer did wrong.
---@class moonpeer.Offence
---@field code string network_mismatch, blockchain_mismatch, banned_user_agent, protocol_error, oversize_message, checksum_error, flood, obsolete_version, self_connection.
---@field message string In words.
---@field count integer Of this code on this connection within a minute of the first; the stock policy limits has ladders over it.
---@field dropped boolean The message was dropped, and the stream goes on.

--- Why a peer could not be reached.
---@class moonpeer.Failure
---@field code string connection_refused, connection_timeout, connection_reset ...
---@field attempts integer Failures in a row, from 1.
---@field address string Of the peer: "1.2.3.4:8333".

--- A connection that may be evicted.
---@class moonpeer.Candidate
---@field connection moonpeer.Connection What evict answers with.
---@field group string Of its network; bytes.
---@field rtt number|nil Least round trip, in seconds.
---@field age number Seconds since it came.
---@field protected boolean It merits to stay: a rare group, a short round trip, a long stay.

--- How much of something is borne within a time. Counted in C; who is exempt is not counted. The verdict comes before any judge.
---@class moonpeer.Rule
---@field name? string In explanations.
---@field on? string A command; or offence.
---@field offence? string The code of one, or "any"; or on.
---@field rate? string How many in which time: "2000/10s". Or count and within.
---@field count? integer So many have the verdict.
---@field within? number|string The window.
---@field key? string What is counted together.
---@field verdict? string As judge answers.
---@field time? number|string Of a ban.
---@field scope? string Of a ban.
---@field ladder? moonpeer.Rule[] Steps of count, verdict, time and scope instead of one.
---@field exempt? string[] Prefixes, or "trusted".

--- What a schedule does again and again. save, discover, expire and report bring their own run. One that fails keeps its place, and is reported. A run is a task and may wait; between two waits it has 50 ms.
---@class moonpeer.Job
---@field every? number|string From one run to the next.
---@field jitter? number Moves each by up to this part of every.
---@field overlap? string What a long run has missed is skipped.
---@field at_start? boolean Also when the engine starts.
---@field after_ban? boolean Also at once when a peer was banned.
---@field changes? integer Also after so many changes of the store.
---@field persist? boolean Remembers its last run with the store, over a restart.
---@field run? fun(engine: moonpeer.Engine)

--- One live stream to a peer: an engine's, or a conversation that a script holds by itself (moonpeer.connect, moonpeer.listen). Only the latter receive.
---@class moonpeer.Connection
---@field address string Of the remote: "1.2.3.4:8333".
---@field inbound boolean Did the remote dial?
---@field state string connecting, awaiting_handshake, connected, failed, rejected or disconnected.
---@field rtt number|nil Seconds from the last ping to its pong; nil before one.
---@field peer moonpeer.Peer|nil The peer as its engine's store has it, by the address that was dialled or, of who dialled us, where it says it listens; nil when that is not known, and for conversations.
---@field version moonpeer.Version|nil What the remote said of itself, once it has.
local connection = {}

---@class moonpeer.Connection.handshake.Options
---@field version? integer the protocol's
---@field services? integer bits
---@field timestamp? integer seconds since 1970
---@field addr_recv? table whom it was sent to: services, ip, port
---@field addr_from? table who sent it: services, ip, port
---@field nonce? integer finds connections to oneself
---@field user_agent? string up to 256 bytes
---@field start_height? integer as it claims
---@field relay? boolean are transactions wanted?
---@field association_id? string bytes

--- Shakes hands.
---@param overrides? moonpeer.Connection.handshake.Options options
---@return moonpeer.Version|nil
---@return string?
---@return string?
function connection:handshake(overrides) end

--- Sends a message.
---@param command string up to 12 bytes
---@param fields? table|string of the message, or its payload
---@return true|nil
---@return string?
---@return string?
function connection:send(command, fields) end

--- Sends bytes as they are.
---@param bytes string
---@return true|nil
---@return string?
---@return string?
function connection:send_raw(bytes) end

--- Waits for a message. What comes before it is dropped.
---@param command? string|string[] or any of a list; any when nil
---@param timeout? number|string forever
---@return moonpeer.Message|nil
---@return string?
---@return string?
function connection:receive(command, timeout) end

--- Waits for a message and raises when it does not come, or its fields are others.
---@param command string
---@param fields? table|fun(message: moonpeer.Message): any those that matter; or whether it is the one
---@param timeout? number|string 10 s
---@return moonpeer.Message
function connection:expect(command, fields, timeout) end

--- Raises when something comes.
---@param duration? number|string 1 s
function connection:expect_nothing(duration) end

--- Waits until the connection is over; raises when it is not.
---@param duration? number|string 10 s
---@param code? string "closed", "connection_reset" ...
---@return string
---@return string
function connection:expect_closed(duration, code) end

--- Payloads over receive_memory are wanted in chunks from now on, of some commands or all; such a payload ends the connection with "limit" else.
---@param command? string|string[] all when left out
function connection:expect_chunks(command) end

--- Waits for a piece of a payload that is too large to be held, and wants them as expect_chunks does. A piece is a table: command, bytes, offset, total (both in bytes), last; code in the last one when the payload was broken. Messages that come before are dropped.
---@param command? string|string[] or any of a list; any when nil
---@param timeout? number|string forever
---@return table|nil
---@return string?
---@return string?
function connection:receive_chunk(command, timeout) end

--- Sends a message whose payload is read as the remote takes it, and waits until all of it is with the system. What is sent meanwhile comes after it, pings too: a remote that takes nothing for ping_timeout ends a connection that has pings.
---@param command string up to 12 bytes
---@param source file*|fun(offset: integer, n: integer): string? an open file, from where it stands; or a function that gives 1 to n bytes of the payload from offset on
---@param size? integer bytes, 0 or more; of a file the rest of it
---@return true|nil
---@return string?
---@return string?
function connection:send_from(command, source, size) end

--- Sends bytes in small pieces.
---@param bytes string
---@param n integer bytes at once, 1 or more
---@param t number|string between two pieces
---@return true|nil
---@return string?
---@return string?
function connection:drip(bytes, n, t) end

--- Does not read: for a while, or until something is received.
---@param duration? number|string
function connection:stall(duration) end

---@class moonpeer.Connection.play.Options
---@field expect? string[] all commands
---@field timeout? number|string for each; 10 s
---@field in_time? boolean with the pauses of the recording

--- Plays one side of a recorded conversation, byte for byte, and expects the commands of the other.
---@param file string as record writes it
---@param sender string the side to play
---@param options? moonpeer.Connection.play.Options options
function connection:play(file, sender, options) end

---@class moonpeer.Connection.record.Options
---@field name? string
---@field note? string
---@field us? string what we are called; "us"
---@field remote? string "node"

--- Writes down what is said from now on.
---@param file string
---@param options? moonpeer.Connection.record.Options options
---@return true|nil
---@return string?
---@return string?
function connection:record(file, options) end

--- Closes it; twice is fine.
---@param reason? string
function connection:close(reason) end

--- Closes it at once, with a reset.
function connection:reset() end

--- What a peer says of itself. None of it need be true.
---@class moonpeer.Version
---@field version integer The protocol's.
---@field services integer Bits.
---@field timestamp integer Seconds since 1970.
---@field addr_recv table Whom it was sent to: services, ip, port.
---@field addr_from table Who sent it: services, ip, port.
---@field nonce integer Finds connections to oneself.
---@field user_agent string Up to 256 bytes.
---@field start_height integer As it claims.
---@field relay boolean Are transactions wanted?
---@field association_id string|nil Bytes.

--- All peers that are remembered, and the bans. `#store` is how many peers there are.
---@class moonpeer.Store
---@field url string Where it is saved.
---@field bans moonpeer.Bans Who is refused.
---@field capacity integer How many peers are remembered at most. When it is full a new one takes the place of another, as create says; made smaller while in use, peers go in the same order, with time.
---@field is_open boolean
---@field is_changed boolean Is there something that was not saved?
---@field warning string|nil What was wrong with the file when it was opened, and where that was put; nil when all was well.
local store = {}

--- Remembers a peer. When the store is full another goes: those that never worked first, then those that worked once, banned ones last; among them inaccessible before unknown before valid, and first who has been longest in its status.
---@param fields table ip and port; and any field of a peer
---@return moonpeer.Peer|nil
---@return string?
---@return string?
function store:create(fields) end

--- The peer of an id.
---@param id string a UUID
---@return moonpeer.Peer|nil
---@return string?
---@return string?
function store:read(id) end

--- Changes fields of a peer.
---@param peer moonpeer.Peer|string or its id
---@param fields table
---@return moonpeer.Peer|nil
---@return string?
---@return string?
function store:update(peer, fields) end

--- Forgets a peer.
---@param peer moonpeer.Peer|string or its id
---@return true|nil
---@return string?
---@return string?
function store:delete(peer) end

--- All peers.
---@return moonpeer.Peer[]
function store:list_all() end

--- All of a status.
---@param status string unknown, valid, inaccessible or banned
---@return moonpeer.Peer[]
function store:find_by_status(status) end

--- The peer at an address.
---@param ip string or both in one text
---@param port? integer
---@return moonpeer.Peer|nil
---@return string?
---@return string?
function store:find_by_ip_port(ip, port) end

--- How many there are of a status; or of each.
---@param status? string
---@return integer|table
function store:count_by_status(status) end

---@class moonpeer.Store.each.Options
---@field status? string|string[]
---@field group? string|moonpeer.Peer as group() gives it, or an address or peer of that group
---@field source? string manual, dns, peer or inbound
---@field source_address? string who told us
---@field older_than? number|string first seen at least so long ago: 0 or more
---@field newer_than? number|string first seen less than so long ago: 0 or more
---@field untried_for? number|string not dialled for so long, or never

--- Walks the peers. Changing the store meanwhile is safe.
---@param filter? moonpeer.Store.each.Options options
---@return fun(): moonpeer.Peer?
function store:each(filter) end

---@class moonpeer.Store.pick.Options
---@field except? (moonpeer.Peer|string)[] not these peers or addresses
---@field except_groups? (moonpeer.Peer|string)[] none of these groups
---@field status? string|string[]
---@field group? string|moonpeer.Peer as group() gives it, or an address or peer of that group
---@field source? string manual, dns, peer or inbound
---@field source_address? string who told us
---@field older_than? number|string first seen at least so long ago: 0 or more
---@field newer_than? number|string first seen less than so long ago: 0 or more
---@field untried_for? number|string not dialled for so long, or never

--- Peers at random, over network groups first: one network cannot fill the choice.
---@param n integer 0 to 65536
---@param filter? moonpeer.Store.pick.Options options
---@return moonpeer.Peer[]
function store:pick(n, filter) end

---@class moonpeer.Store.hear.Options
---@field source? string
---@field source_address? string
---@field services? integer bits

--- Remembers an address that somebody told, under the limits for what one source may tell.
---@param address string
---@param about? moonpeer.Store.hear.Options options
---@return moonpeer.Peer|nil
---@return string?
---@return string?
function store:hear(address, about) end

--- A source was asked: so many addresses more are taken of it.
---@param n integer 0 to 1000
---@param about? moonpeer.Store.hear.Options as for hear
---@return true
function store:expect(n, about) end

--- The network group of an address: /16, /32 or AS.
---@param address string
---@return string|nil
---@return string?
---@return string?
function store:group(address) end

--- The milder tier: in memory only.
---@param address string
---@return true|nil
---@return string?
---@return string?
function store:discourage(address) end

--- Takes that back.
---@param address string
---@return true|nil
---@return string?
---@return string?
function store:encourage(address) end

---
---@param address string
---@return boolean|nil
---@return string?
---@return string?
function store:is_discouraged(address) end

--- A value that a script has saved with the store.
---@param name string
---@return string|nil
function store:value(name) end

--- Saves a value with the store.
---@param name string
---@param bytes? string nil takes it away
---@return true|nil
---@return string?
---@return string?
function store:set_value(name, bytes) end

--- Walks these values.
---@return fun(): (string?, string?)
function store:values() end

---@class moonpeer.Store.configure.Options
---@field capacity? integer
---@field max_bans? integer
---@field ttl? table
---@field inaccessible_time? number|string
---@field ban_time? number|string

--- Changes the options it was opened with.
---@param options moonpeer.Store.configure.Options options
function store:configure(options) end

--- Forgets what is stale, ends bans: an engine does it itself.
---@param budget? integer peers looked at, 1 or more
---@return boolean
function store:expire(budget) end

--- Calls a function for what changes, from the next turn on.
---@param event string peer_created, peer_updated, peer_deleted, ban_added or ban_removed
---@param name string
---@param fn fun(change: table)
function store:on(event, name, fn) end

--- Takes a listener away.
---@param event string
---@param name string
function store:off(event, name) end

--- Saves, and waits until the bytes are durable; after the timeout the save goes on. Outside a task it is done when the call returns.
---@param timeout? number|string forever
---@return true|nil
---@return string?
---@return string?
function store:save(timeout) end

--- Saves and closes.
function store:close() end

--- Addresses and prefixes that are refused.
---@class moonpeer.Bans
local bans = {}

---@class moonpeer.Bans.add.Options
---@field time? number|string over 0, or "forever"; 24 h
---@field expires? number|string seconds since 1970, or "forever"
---@field reason? string network_mismatch, blockchain_mismatch, banned_user_agent, misbehaviour or manual
---@field origin? string
---@field note? string
---@field created? number seconds since 1970

--- Bans. Of a full list the ban that is the soonest to expire ends for it, even when the new one would expire sooner still; limit: all are for ever.
---@param what string "1.2.3.4", "1.2.3.0/24", "2001:db8::/32"; "::ffff:1.2.3.0/120" is "1.2.3.0/24"
---@param options? moonpeer.Bans.add.Options options
---@return moonpeer.Ban|nil
---@return string?
---@return string?
function bans:add(what, options) end

--- The ban on exactly that.
---@param what string "1.2.3.4", "1.2.3.0/24", "2001:db8::/32"; "::ffff:1.2.3.0/120" is "1.2.3.0/24"
---@return moonpeer.Ban|nil|nil
---@return string?
---@return string?
function bans:get(what) end

--- The narrowest ban that covers an address.
---@param address string
---@return moonpeer.Ban|nil|nil
---@return string?
---@return string?
function bans:find(address) end

--- Ends the ban on exactly that.
---@param what string "1.2.3.4", "1.2.3.0/24", "2001:db8::/32"; "::ffff:1.2.3.0/120" is "1.2.3.0/24"
---@return true|nil
---@return string?
---@return string?
function bans:remove(what) end

--- Ends all bans that cover an address.
---@param address string
---@return integer|nil
---@return string?
---@return string?
function bans:lift(address) end

--- Walks the bans.
---@return fun(): moonpeer.Ban?
function bans:each() end

--- How many; `#bans` too.
---@return integer
function bans:count() end

---@class moonpeer.Bans.import.Options
---@field format? string "json" or "plain"; by its beginning
---@field name? string of the text, in messages
---@field origin? string
---@field time? number|string

--- Takes the bans of a text.
---@param text string banlist.json, or a prefix a line
---@param options? moonpeer.Bans.import.Options options
---@return integer|nil
---@return integer|string
---@return string?
function bans:import(text, options) end

--- All bans as a text.
---@param format? string "json" (banlist.json) or "plain"
---@return string|nil
---@return string?
---@return string?
function bans:export(format) end

--- One ban of a list: a table.
---@class moonpeer.Ban
---@field prefix string An address, or "1.2.3.0/24".
---@field reason string network_mismatch, blockchain_mismatch, banned_user_agent, misbehaviour or manual.
---@field origin string Who decided: manual, import, policy ...
---@field note string|nil In words, why.
---@field created number Seconds since 1970.
---@field expires number|string The same, or "forever".

--- A remembered remote. Its fields are changed by store:update; a script's own are in `data`.
---@class moonpeer.Peer
---@field id string A UUID.
---@field ip string
---@field port integer 1 to 65535.
---@field address string Both: "1.2.3.4:8333".
---@field status string unknown, valid, inaccessible or banned.
---@field status_time number When the status changed, seconds since 1970, as all times here.
---@field ban_reason string|nil While it is banned.
---@field source string Who told us: manual, dns, peer or inbound.
---@field source_address string|nil The peer that did.
---@field services integer Bits, as it claims.
---@field user_agent string
---@field protocol_version integer
---@field start_height integer As it claims: never to be trusted.
---@field first_seen number|nil
---@field last_seen number|nil
---@field last_tried number|nil
---@field failures integer In a row.
---@field rtt number|nil Seconds, of its last ping.
---@field data table A script's own fields, saved with the peer.
local peer = {}

--- Is its status valid?
---@return boolean
function peer:is_valid() end

--- Is its status banned?
---@return boolean
function peer:is_banned() end

--- Is its status inaccessible?
---@return boolean
function peer:is_inaccessible() end

--- Is it still in its store?
---@return boolean
function peer:is_stored() end

--- All fields as a table.
---@return table
function peer:table() end

--- Frames and messages without an engine.
---@class moonpeer.message
moonpeer.message = {}

---@class moonpeer.message.encode.Options
---@field network? string|table mainnet
---@field text? boolean numbers and bytes come as people write them

--- Makes a whole frame, header and payload. What cannot be encoded raises.
---@param command string up to 12 bytes
---@param fields? table|string or the payload
---@param options? moonpeer.message.encode.Options options
---@return string|nil
---@return string?
---@return string?
function moonpeer.message.encode(command, fields, options) end

---@class moonpeer.message.decode.Options
---@field network? string|table mainnet
---@field position? integer of the first byte; 1

--- Reads one frame. With would_block bytes are missing, and the fourth value is how many at least.
---@param bytes string
---@param options? moonpeer.message.decode.Options options
---@return moonpeer.Message|nil
---@return integer|string
---@return string?
function moonpeer.message.decode(bytes, options) end

---@class moonpeer.message.define.Options
---@field command? string up to 12 bytes
---@field fields? table[] each with name and type; besides min, max (of numbers, lengths and counts), size, big_endian, hex (how it is shown), optional (the message may end before it), default, sized (a record after its length), when with when_min or when_is (there only when an earlier number is that large, or a text one of these), unit
---@field limit? integer bytes of a payload at most, instead of what the network allows
---@field summary? string

--- Declares a message: its fields are checked, read and encoded like those of the built-in ones, from now on, in this Lua state. Types of fields: uint8 uint16 uint24 uint32 uint48 uint64, int8 int16 int32 int64, bool, compact and compact64 (1 to 9 bytes), hash, ip, bytes (`size`), after their length var_bytes and text, record (`fields`), list (`fields`, or `item`: a type). Without bytes of their own: count_of, hash_of, hashes_of and size_of (`of`: an earlier field).
---@param declaration moonpeer.message.define.Options options
function moonpeer.message.define(declaration) end

--- A set of hashes that forgets the oldest.
---@param capacity? integer 65,536
---@return moonpeer.Hashes
function moonpeer.message.hashes(capacity) end

--- All built-in messages, by command: command, summary, source, limit, phase, foreign, fields.
---@return table[]
function moonpeer.message.types() end

--- A command and its fields, read when they are asked for: `message.nonce`. `#message` is the length of its list. Hooks and listeners get views, stale when they return; receive gives copies.
---@class moonpeer.Message
---@field command string "inv".
---@field [string] any
local message = {}

--- Walks the list: of an inv its kind and hash.
---@return fun(): (any, any)
function message:each() end

--- All fields as a table.
---@return table
function message:table() end

--- The payload.
---@return string
function message:raw() end

--- A message of one's own, for later.
---@return moonpeer.Message
function message:copy() end

--- All fields as people write them: hashes and bytes as hex.
---@return table
function message:text() end

--- The same as JSON.
---@return string
function message:json() end

--- How many hashes of the list are in a set.
---@param set moonpeer.Hashes|table or a table with 32-byte strings as keys
---@return integer
---@return integer
function message:count_known(set) end

--- Adds the hashes of the list to a set; or the addresses of an addr to a store: as told by a source, within what one source may name, or without one as a person's own.
---@param into moonpeer.Hashes|moonpeer.Store
---@param source? string the address of who sent them
---@return integer
---@return integer
function message:import(into, source) end

--- Does each header follow the one before it?
---@param previous? string the hash before the first
---@return string|nil
---@return string?
---@return string?
function message:check_chain(previous) end

--- A set of hashes that forgets the oldest; `#hashes` is how many.
---@class moonpeer.Hashes
local hashes = {}

--- Puts one in.
---@param hash string 32 bytes
---@return boolean
function hashes:add(hash) end

--- Is it in?
---@param hash string 32 bytes
---@return boolean
function hashes:has(hash) end

---@alias moonpeer.EventType "connection_started"|"connection_established"|"handshake_complete"|"connection_failed"|"connection_lost"|"connection_restarting"|"peer_misbehaved"|"peer_banned"|"peer_unbanned"|"inbound_accepted"|"inbound_rejected"|"rejected_for_capacity"|"evicted"|"listener_started"|"listener_failed"|"discovery_finished"|"store_saved"|"store_failed"|"policy_failed"|"decision"|"message"|"chunk"

--- What an engine tells its listeners; stale when they return.
---@class moonpeer.Event
---@field type moonpeer.EventType What happened.
---@field command string|nil Of "message" and "chunk".
---@field bytes string|nil A piece of a payload, of "chunk".
---@field offset integer|nil Where in the payload that piece is.
---@field total integer|nil Bytes of the whole payload.
---@field last boolean|nil Is it the last piece?
---@field time number Seconds since 1970.
---@field connection moonpeer.Connection|nil
---@field address string|nil Of the remote, or of the listener. Of a ban it has no port, and is nil when the prefix covers more.
---@field code string|nil Of a failure or an offence.
---@field reason string In words.
---@field message moonpeer.Message|nil Of "message".
---@field prefix string|nil What was banned or unbanned.
---@field expires number|nil When that ban ends or would have ended, seconds since 1970; math.huge: never.
---@field ban_reason string|nil Of that ban: "manual", "misbehaviour" ...
---@field origin string|nil Who banned: "manual", "policy", "import" ...
---@field verdict string|nil What a policy decided.
---@field verdict_reason string|nil
---@field rule string|nil The declared rule that decided so, instead of a policy.
---@field count integer|nil How often it did wrong.
local event = {}

--- All fields as a table, the message as a copy: for later.
---@return table
function event:table() end

--- An event of a queue (engine:events), a table.
---@class moonpeer.QueuedEvent: moonpeer.Event
---@field lost integer|nil How many were dropped before it.

--- A coroutine that waits on a loop.
---@class moonpeer.Task
---@field state string ready, waiting, done or failed.
local task = {}

--- Waits for its end.
---@param timeout? number|string forever
---@return any|nil
---@return string?
---@return string?
function task:wait(timeout) end

--- Asks it to end: where it waits, an error is raised.
function task:cancel() end

--- Waits for peers that dial.
---@class moonpeer.Listener
---@field address string The real port, also for port 0.
local listener = {}

--- The next connection, of a listener without a function.
---@param timeout? number|string forever
---@return moonpeer.Connection|nil
---@return string?
---@return string?
function listener:accept(timeout) end

--- Twice is fine.
function listener:close() end

--- `require "moonpeer.sim"`: whole engines and scripted peers on a virtual clock and network. The same seed gives the same run, and a run takes no time.
---@class moonpeer.Sim
local sim = {}

---@class moonpeer.Sim.world.Options
---@field seed? integer of all chance; 0
---@field network? string|table of its engines and remotes when they name none; mainnet
---@field start? integer os.time of its beginning, 1970 to 2100
---@field trace? string "text", "hash" or "off"; text
---@field trace_limit? integer bytes kept, 1 or more
---@field work_time? number|string what blocking work takes, 0 to 1 h
---@field instructions? integer that a script may run without waiting, 0 for any number

--- Makes a world; best with `local world <close> = ...`.
---@param options? moonpeer.Sim.world.Options options
---@return moonpeer.World
function sim.world(options) end

--- A network on a virtual clock. Time passes in run_for and run_until alone.
---@class moonpeer.World
local world = {}

--- A whole engine on a host of its own, started. It listens when its options say so, or when the address has a port.
---@param address string "10.0.0.1", or with a port
---@param config? moonpeer.Configuration
---@return moonpeer.Engine
function world:engine(address, config) end

--- A scripted peer on a host of its own. The run ends with the error when its function raises one.
---@param address string "10.0.0.1", or with a port
---@param fn fun(remote: moonpeer.Remote) a task
---@param options? moonpeer.connect.Options of its connections, as for connect
---@return moonpeer.Remote
function world:remote(address, fn, options) end

--- Lets time pass, and everything happen that is due until then.
---@param duration number|string
---@return boolean
function world:run_for(duration) end

--- Lets time pass until a condition holds. It is asked between any two events, and must change nothing.
---@param condition fun(): any
---@param limit? number|string 1 h
---@return true|nil
---@return string?
---@return string?
function world:run_until(condition, limit) end

--- Seconds since it began.
---@return number
function world:now() end

--- All that happened, a JSON object a line.
---@return string
function world:trace() end

--- The hash of all that happened.
---@return string
function world:hash() end

--- Writes a line into the trace.
---@param host string|table
---@param text string
function world:note(host, text) end

--- What there is now and was so far: hosts, streams, listeners, lookups, works, bytes, memory, events, messages.
---@return table<string, integer>
function world:count() end

---@class moonpeer.World.link.Options
---@field latency? number|string of each way, 0 to 1 h
---@field jitter? number|string added by chance, 0 to this: 0 to 1 h
---@field bandwidth? integer bytes a second, 1 or more
---@field segment? integer bytes that travel together, 1 to 16 MiB
---@field split? number chance, 0 to 1
---@field merge? number chance, 0 to 1
---@field loss? number chance that a stream is lost, 0 to 1
---@field refuse? number chance that a dial is refused, 0 to 1
---@field silence? number chance that a dial is not answered, 0 to 1
---@field lifetime? number|string of streams, on average, over 0: each is reset after twice this at most
---@field one_way? boolean from a to b only

--- What the way between two hosts is like. Latency, jitter and bandwidth are each way's own. Without options it is as before.
---@param a? string|table an address, an engine or a remote; nil: any
---@param b? string|table the same
---@param options? moonpeer.World.link.Options options
function world:link(a, b, options) end

---@class moonpeer.World.limit.Options
---@field descriptors? integer 1 to 1,000,000
---@field window? integer bytes that may wait unread, 1 to 64 MiB
---@field send_buffer? integer bytes that may wait to be sent, 1 to 64 MiB

--- What a host can hold.
---@param host? string|table nil: those made later
---@param options moonpeer.World.limit.Options options
function world:limit(host, options) end

--- Cuts all ways between a and b, each a host or a list; without b, between a and everybody else.
---@param a string|table
---@param b? string|table
---@return integer
function world:partition(a, b) end

--- Sets everybody's wall clock forward or back; timers go on as before.
---@param seconds number negative to set it back; a time from 1970 to 2200 is possible
function world:jump(seconds) end

--- Takes a partition back.
---@param number? integer all when left out
function world:heal(number) end

--- Resets every stream between two hosts.
---@param a? string|table an address, an engine or a remote; nil: any
---@param b? string|table the same
---@return integer
function world:sever(a, b) end

---@class moonpeer.World.dns.Options
---@field delay? number|string 0 or more, or "never"

--- What a name resolves to.
---@param name string
---@param answers string[] empty for a failure
---@param options? moonpeer.World.dns.Options options
function world:dns(name, answers, options) end

--- Closes everything in it; raises what could not be closed. Twice is fine.
function world:close() end

--- A scripted peer of a world. Its connections are those of moonpeer.connect.
---@class moonpeer.Remote
---@field address string Where it is, with its port.
---@field done boolean|nil Has its function ended?
---@field result any What that returned.
---@field error string|nil What that raised.
local remote = {}

--- Listens at its address from now on; accept does it by itself.
---@param options? moonpeer.connect.Options as for moonpeer.connect
---@return moonpeer.Listener
function remote:listen(options) end

--- Waits for the next one who dials.
---@param timeout? number|string forever
---@return moonpeer.Connection|nil
---@return string?
---@return string?
function remote:accept(timeout) end

--- Runs a function for everyone who dials, each in a task of its own. Returns when the listener is closed.
---@param fn fun(connection: moonpeer.Connection)
function remote:serve(fn) end

--- Dials.
---@param address string without a port: the network's
---@param options? moonpeer.connect.Options as for moonpeer.connect
---@return moonpeer.Connection|nil
---@return string?
---@return string?
function remote:dial(address, options) end

--- Starts another task of it.
---@param fn function
---@param ... any its arguments
---@return moonpeer.Task
function remote:spawn(fn, ...) end

--- Waits.
---@param duration number|string
function remote:sleep(duration) end

--- Seconds since the world began.
---@return number
function remote:now() end

--- Writes a line into the world's trace.
---@param text string
function remote:note(text) end

--- `require "moonpeer.test"`: what engines tell, written down; assertions that say what came instead; a guard against what a spec leaves behind.
---@class moonpeer.Test
local test = {}

--- Writes down every event of an engine from now on but messages and chunks.
---@param engine moonpeer.Engine
---@return table[]
function test.watch(engine) end

--- The first row of a type with these fields.
---@param log table[] of test.watch
---@param kind? string a type; any when nil
---@param fields? table those that matter
---@return table|nil
---@return integer
function test.find(log, kind, fields) end

--- Raises when there is no such row, and tells what came near.
---@param log table[] of test.watch
---@param kind string
---@param fields? table those that matter
function test.event(log, kind, fields) end

--- Raises when no policy answered so.
---@param log table[] of test.watch
---@param fields? table those that matter
function test.decision(log, fields) end

--- Raises when a connection is in another state.
---@param connection moonpeer.Connection
---@param state string
function test.in_state(connection, state) end

--- Raises when a store has no such peer.
---@param store moonpeer.Store
---@param ip string
---@param port integer
---@param fields? table those that matter
function test.stored(store, ip, port, fields) end

--- Makes these assertions of busted: assert.event(...), assert.has_no.event(...).
---@param assert table busted's
function test.install(assert) end

--- A full collection around every hook, listener and step of a task: what lives too long or dies too soon is found at once.
---@param on boolean
---@return boolean
function test.collect(on) end

---@class moonpeer.Test.look_around.Options
---@field memory? integer KiB that may come to stay; 512

--- Looks around, and gives a function that raises when there are more engines, connections, listeners, tasks, worlds or memory then.
---@param options? moonpeer.Test.look_around.Options options
---@return fun()
function test.look_around(options) end

---@class moonpeer.Test.guard.Options
---@field memory? integer KiB; 512
---@field collect? boolean as test.collect

--- In a describe of busted: every `it` of it fails when it leaves something behind.
---@param options? moonpeer.Test.guard.Options options
function test.guard(options) end

return moonpeer
