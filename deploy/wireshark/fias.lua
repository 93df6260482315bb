-- Hotel lines for Wireshark: records of FIAS field by field, messages of a Mitel link by their
-- names and rooms. See the README.md beside it.
--
-- Reads captures of `pms-gateway` (pcapng, link type RTAC Serial), and TCP streams by Decode As.
-- The tables between the marks are made from protocols/fias by `python -m gateway.scope.wireshark`.

-- tables: begin
local RECORDS = {
  ["DE"] = "resync end",
  ["DR"] = "resync request",
  ["DS"] = "resync start",
  ["GC"] = "guest change",
  ["GI"] = "guest in",
  ["GO"] = "guest out",
  ["KA"] = "key answer",
  ["KD"] = "key delete",
  ["KM"] = "key modify",
  ["KR"] = "key request",
  ["KZ"] = "key read",
  ["LA"] = "link alive",
  ["LC"] = "link configuration",
  ["LD"] = "link description",
  ["LE"] = "link end",
  ["LF"] = "locator off",
  ["LO"] = "locator on",
  ["LP"] = "locator read",
  ["LR"] = "link record wanted",
  ["LS"] = "link start",
  ["NE"] = "night audit end",
  ["NS"] = "night audit start",
  ["PA"] = "posting answer",
  ["PL"] = "posting list",
  ["PR"] = "posting request",
  ["PS"] = "posting",
  ["RE"] = "room equipment",
  ["VA"] = "virtual number answer",
  ["WA"] = "wake up answer",
  ["WC"] = "wake up clear",
  ["WR"] = "wake up request",
  ["XB"] = "bill balance",
  ["XC"] = "remote check out",
  ["XD"] = "message done",
  ["XI"] = "bill item",
  ["XL"] = "message online",
  ["XM"] = "message request",
  ["XR"] = "bill request",
  ["XT"] = "message text",
}

local MESSAGES = {
  ["AREYUTHERE"] = "are you there?",
  ["CHK0"] = "check out",
  ["CHK1"] = "check in",
  ["END"] = "resync ends",
  ["GRS"] = "resync begins",
  ["MW"] = "message lamp",
  ["NAM"] = "name",
  ["RQINZ"] = "tell every room",
  ["RST"] = "class of service",
  ["STS"] = "maid status",
  ["WKP"] = "wake-up",
}

local FIELDS = {
  ["$1"] = "magnetic track 1",
  ["$2"] = "magnetic track 2",
  ["$3"] = "magnetic track 3",
  ["$J"] = "journal text",
  ["+0"] = "rounding",
  ["A0"] = "user definable; timeouts in LC",
  ["A1"] = "user definable; PMS version in LC",
  ["A2"] = "user definable; version in LC",
  ["A3"] = "user definable; version in LC",
  ["A4"] = "user definable",
  ["A5"] = "user definable",
  ["A6"] = "user definable",
  ["A7"] = "user definable",
  ["A8"] = "user definable",
  ["A9"] = "user definable",
  ["AS"] = "answer status",
  ["BA"] = "balance, may hold a point",
  ["BD"] = "bill item text",
  ["BI"] = "bill item amount, may hold a point",
  ["C#"] = "check number",
  ["CG"] = "key check",
  ["CL"] = "credit limit, may hold a point",
  ["CO"] = "cashier or override, by record",
  ["CS"] = "class of service 0..3",
  ["CT"] = "clear text",
  ["CV"] = "covers",
  ["D1"] = "discount 1",
  ["D2"] = "discount 2",
  ["D3"] = "discount 3",
  ["D4"] = "discount 4",
  ["D5"] = "discount 5",
  ["D6"] = "discount 6",
  ["D7"] = "discount 7",
  ["D8"] = "discount 8",
  ["D9"] = "discount 9",
  ["DA"] = "date; the wake-up's in WR, WC, WA",
  ["DC"] = "department code",
  ["DD"] = "dialled digits",
  ["DN"] = "do not disturb, from the PMS only",
  ["DT"] = "departure time, HH:MM",
  ["DU"] = "duration of the call",
  ["EI"] = "their pools",
  ["EN"] = "direct numbers",
  ["EO"] = "direct numbers of the old room",
  ["EP"] = "their pools",
  ["ES"] = "0 off, 1 on, 2 keep, 3 move",
  ["ET"] = "their states",
  ["F#"] = "folio",
  ["FD"] = "display flag of a bill item",
  ["FL"] = "its fields, two characters each",
  ["G#"] = "reservation number, key of a guest",
  ["G+"] = "profile number, information only",
  ["GA"] = "arrival date",
  ["GD"] = "departure date",
  ["GF"] = "first name",
  ["GG"] = "group",
  ["GL"] = "language code, two spellings exist",
  ["GN"] = "name, in the format of the site",
  ["GP"] = "guest PIN",
  ["GS"] = "others are (still) in the room",
  ["GT"] = "title",
  ["GV"] = "VIP code",
  ["ID"] = "user id",
  ["IF"] = "kind of interface; PB is a PBX",
  ["K#"] = "number of keys",
  ["KC"] = "key coder",
  ["KO"] = "key options",
  ["KT"] = "key type",
  ["LT"] = "locator text",
  ["M#"] = "number of articles",
  ["MA"] = "article",
  ["MI"] = "message id",
  ["ML"] = "message lamp",
  ["MP"] = "meter pulses",
  ["MR"] = "minibar: MU, MN, ML",
  ["MT"] = "message text",
  ["MX"] = "maximum",
  ["NP"] = "no posting; never a bar order",
  ["P#"] = "posting number, 1..99999999",
  ["PC"] = "L local, N national, I abroad",
  ["PH"] = "hotel id",
  ["PI"] = "what is looked for",
  ["PM"] = "payment method",
  ["PP"] = "printer port, always 0",
  ["PT"] = "C direct, T telephone, M minibar",
  ["PU"] = "persons, with RS",
  ["PX"] = "trunk",
  ["RI"] = "record this link wants",
  ["RL"] = "longest message text",
  ["RN"] = "room number, exact string",
  ["RO"] = "room before a move",
  ["RP"] = "room payment methods",
  ["RS"] = "room or maid status, site codes",
  ["RT"] = "what LC should tell, a sum of bits",
  ["S1"] = "subtotal 1",
  ["S2"] = "subtotal 2",
  ["S3"] = "subtotal 3",
  ["S4"] = "subtotal 4",
  ["S5"] = "subtotal 5",
  ["S6"] = "subtotal 6",
  ["S7"] = "subtotal 7",
  ["S8"] = "subtotal 8",
  ["S9"] = "subtotal 9",
  ["SC"] = "service charge",
  ["SF"] = "this record belongs to a resync",
  ["SI"] = "service id",
  ["SO"] = "outlet; some sites use letters",
  ["ST"] = "serving time",
  ["T#"] = "table",
  ["T1"] = "tax 1",
  ["T2"] = "tax 2",
  ["T3"] = "tax 3",
  ["T4"] = "tax 4",
  ["T5"] = "tax 5",
  ["T6"] = "tax 6",
  ["T7"] = "tax 7",
  ["T8"] = "tax 8",
  ["T9"] = "tax 9",
  ["TA"] = "total amount",
  ["TI"] = "time; the wake-up's in WR, WC, WA",
  ["TP"] = "tip",
  ["TV"] = "TV: TU, TM, TX, TN, site codes",
  ["UO"] = "user order",
  ["V#"] = "version of the driver",
  ["VM"] = "voice mail: Y, N or unread and read",
  ["VR"] = "video: VA, VB, VN",
  ["WS"] = "workstation",
  ["X1"] = "extra text, the first one counts",
}
-- tables: end

local STX, ETX, ENQ = 0x02, 0x03, 0x05
local CONTROLS = { [ENQ] = "ENQ", [0x06] = "ACK", [0x15] = "NAK" }
local RTAC_HEADER = 12
local LONGEST = 8192 -- a frame that is longer has lost its end

local fias = Proto("fias", "FIAS hotel link")
local serial = Proto("fias_serial", "FIAS hotel link on a serial line")

-- Fields --------------------------------------------------------------------------------------

local GOOD, BAD = 1, 0
local f = {
  sender = ProtoField.string("fias.sender", "Sender"),
  record = ProtoField.string("fias.record", "Record"),
  name = ProtoField.string("fias.record.name", "Record name"),
  room = ProtoField.string("fias.room", "Room"),
  control = ProtoField.string("fias.control", "Control byte"),
  unknown = ProtoField.string("fias.field.unknown", "Field that FIAS does not name"),
  lrc = ProtoField.uint8("fias.lrc", "Check byte", base.HEX),
  status = ProtoField.uint8("fias.lrc.status", "Check byte status", base.DEC,
    { [GOOD] = "Good", [BAD] = "Bad" }),
  stray = ProtoField.bytes("fias.stray", "Bytes outside frames"),
  unfinished = ProtoField.bytes("fias.unfinished", "A frame without an end"),
  fragment = ProtoField.bytes("fias.fragment", "A frame that goes on in a later packet"),
}
local all = {}
for _, field in pairs(f) do all[#all + 1] = field end

-- A filter knows letters, digits and the line below: G# is fias.field.G_number.
local WORD_OF_SIGN = { ["#"] = "_number", ["+"] = "_plus", ["$"] = "_track" }
local field_of = {}
for id, meaning in pairs(FIELDS) do
  local word = id:gsub("[#+$]", WORD_OF_SIGN):gsub("^_", "")
  field_of[id] = ProtoField.string("fias.field." .. word, id .. " (" .. meaning .. ")")
  all[#all + 1] = field_of[id]
end
fias.fields = all

local damaged = ProtoExpert.new("fias.damaged", "The check byte does not fit",
  expert.group.CHECKSUM, expert.severity.ERROR)
local endless = ProtoExpert.new("fias.endless", "Another frame began before this one ended",
  expert.group.MALFORMED, expert.severity.WARN)
local outside = ProtoExpert.new("fias.outside", "Bytes outside any frame",
  expert.group.MALFORMED, expert.severity.NOTE)
fias.experts = { damaged, endless, outside }

-- Preferences ---------------------------------------------------------------------------------

local CHARSETS = {
  { 1, "Windows-1252", ENC_WINDOWS_1252 }, { 2, "Windows-1250", ENC_WINDOWS_1250 },
  { 3, "Windows-1251", ENC_WINDOWS_1251 }, { 4, "CP437", ENC_CP437 },
  { 5, "UTF-8", ENC_UTF_8 }, { 6, "ISO 8859-1", ENC_ISO_8859_1 },
  { 7, "ISO 8859-2", ENC_ISO_8859_2 },
}
local choices = {}
for _, each in ipairs(CHARSETS) do choices[#choices + 1] = { each[1], each[2], each[1] } end

fias.prefs.charset = Pref.enum("Code page", 1, "In which names are written", choices, false)
fias.prefs.tcp_mitel = Pref.bool("Mitel on TCP", false, "TCP streams are of a Mitel link")
fias.prefs.tcp_lrc = Pref.bool("Check bytes on TCP", false, "A check byte follows ETX on TCP too")
fias.prefs.serial = Pref.bool("RTAC Serial is FIAS", true,
  "Read captures of the link type RTAC Serial as FIAS; takes effect at the next file")

-- Cutting -------------------------------------------------------------------------------------

-- Wireshark 4.4 has a Lua with an operator for it, the ones before have a library.
local bxor = bit and bit.bxor or load("return function(a, b) return a ~ b end")()

local function xor(bytes)
  local sum = 0
  for at = 1, #bytes do sum = bxor(sum, bytes:byte(at)) end
  return sum
end

-- Bytes (a Lua string) as items in their order: { kind, first, behind }, counted from 0. What may
-- become a frame once more bytes are there is an item `open`, the last one.
local function cut(bytes, has_lrc)
  local items, at, length = {}, 1, #bytes
  local function item(kind, behind, is_checked)
    items[#items + 1] =
      { kind = kind, first = at - 1, behind = behind - 1, is_checked = is_checked }
    at = behind
  end
  while at <= length do
    local byte = bytes:byte(at)
    if byte == STX then
      -- On a line that answers, ENQ inside a frame asks about a frame whose end was missed.
      local stop = bytes:find(has_lrc and "[\2\3\5]" or "[\2\3]", at + 1)
      if stop and bytes:byte(stop) ~= ETX then
        item("unfinished", stop)
      elseif stop and not has_lrc then
        item("frame", stop + 1, false)
      elseif stop and stop < length then
        -- STX where the check byte should be, and no check byte by its value: the next frame.
        local is_next = bytes:byte(stop + 1) == STX and xor(bytes:sub(at + 1, stop)) ~= STX
        item("frame", stop + (is_next and 1 or 2), not is_next)
      elseif length - at >= LONGEST then
        item("unfinished", length + 1)
      else
        item("open", length + 1)
      end
    elseif CONTROLS[byte] then
      item("control", at + 1)
    else
      local stop = bytes:find("[\2\5\6\21]", at) or length + 1
      item(bytes:sub(at, stop - 1):find("[^\r\n\0]") and "stray" or "blank", stop)
    end
  end
  return items
end

-- Showing -------------------------------------------------------------------------------------

local function show_field(tree, range)
  local id = range:len() >= 2 and range:raw(0, 2) or ""
  local known = field_of[id]
  local encoding = CHARSETS[fias.prefs.charset][3]
  if not known then
    tree:add_packet_field(f.unknown, range, encoding)
    return nil
  end
  local value = range:len() > 2 and range(2) or nil
  local text = value and value:string(encoding) or ""
  tree:add(known, range, text)
  if id == "RN" then
    tree:add(f.room, range, text):set_generated()
    return text
  end
end

local function show_body(tree, tvb, first, behind)
  local body = tvb:raw(first, behind - first)
  local id = body:match("^[^|]*")
  tree:add(f.record, tvb(first, #id), id)
  tree:add(f.name, tvb(first, #id), RECORDS[id] or "no record of FIAS"):set_generated()
  local room
  local at = #id + 2
  while at <= #body do
    local bar = body:find("|", at, true) or #body + 1
    if bar > at then room = show_field(tree, tvb(first + at - 1, bar - at)) or room end
    at = bar + 1
  end
  return room and (id .. " " .. room) or id
end

-- A message of fixed columns: its function, and the room behind it (or, after a name, at its end).
local function show_message(tree, tvb, first, behind)
  local body = tvb:raw(first, behind - first)
  local id = body:match("^AREYUTHERE") or body:match("^RQINZ") or body:match("^MW") or body:match("^%a%a%a") or ""
  if id == "CHK" then id = body:sub(1, 4) end
  tree:add(f.record, tvb(first, #id), id)
  tree:add(f.name, tvb(first, #id), MESSAGES[id] or "no message of a Mitel link"):set_generated()
  local room = #body > #id + 1 and body:match("(%w+) *$")
  if not room or not body:find("%d", #id + 1) then return id end
  tree:add(f.room, tvb(first, behind - first), room):set_generated()
  return id .. " " .. room
end

local function show_frame(tree, tvb, item, has_messages)
  local length = item.behind - item.first
  local frame = tree:add(fias, tvb(item.first, length), has_messages and "Mitel message" or "FIAS record")
  local behind = item.behind - (item.is_checked and 2 or 1) -- where ETX stands
  local told = "empty"
  local show = has_messages and show_message or show_body
  if behind > item.first + 1 then told = show(frame, tvb, item.first + 1, behind) end
  frame:append_text(", " .. told)
  if item.is_checked then
    local check = tvb(behind + 1, 1)
    local fits = xor(tvb:raw(item.first + 1, behind - item.first)) == check:uint()
    frame:add(f.lrc, check)
    local status = frame:add(f.status, check, fits and GOOD or BAD):set_generated()
    if not fits then
      status:add_proto_expert_info(damaged)
      told = told .. " [check byte does not fit]"
    end
  end
  return told
end

-- All items of these bytes into the tree; what to say of them in the packet list.
local function show(tree, tvb, items, has_messages)
  local told = {}
  for _, item in ipairs(items) do
    local range = tvb(item.first, item.behind - item.first)
    if item.kind == "frame" then
      told[#told + 1] = show_frame(tree, tvb, item, has_messages)
    elseif item.kind == "control" then
      local word = CONTROLS[range:uint()]
      tree:add(f.control, range, word)
      told[#told + 1] = word
    elseif item.kind == "open" then
      tree:add(f.fragment, range)
      told[#told + 1] = "..."
    elseif item.kind == "unfinished" then
      tree:add(f.unfinished, range):add_proto_expert_info(endless)
      told[#told + 1] = "[unfinished]"
    elseif item.kind == "stray" then
      tree:add(f.stray, range):add_proto_expert_info(outside)
      told[#told + 1] = "[stray bytes]"
    end
  end
  return table.concat(told, ", ")
end

-- TCP: Decode As ------------------------------------------------------------------------------

function fias.dissector(tvb, pinfo, tree)
  pinfo.cols.protocol = "FIAS"
  local has_lrc = fias.prefs.tcp_lrc
  local items = cut(tvb:raw(), has_lrc)
  local last = items[#items]
  if last and last.kind == "open" and pinfo.can_desegment > 0 then
    pinfo.desegment_offset = last.first
    pinfo.desegment_len = DESEGMENT_ONE_MORE_SEGMENT
    items[#items] = nil
  end
  local link = tree:add(fias, tvb(), "FIAS hotel link")
  local told = show(link, tvb, items, fias.prefs.tcp_mitel)
  if told ~= "" then pinfo.cols.info = told end
  return tvb:len()
end

-- RTAC Serial ---------------------------------------------------------------------------------

local SENDERS = { [1] = "gw", [2] = "pms", [3] = "gw", [4] = "pms" } -- by event: TX, RX and ends
local described = Field.new("frame.interface_description")
local rtacser = Dissector.get("rtacser")

local open -- by sender: the begin of a frame that was not whole yet
local carried -- by packet number: what was open before it, found when it is seen first

function serial.init()
  open, carried = {}, {}
end

-- What the gateway writes into its captures: `lrc=off`, `protocol=mitel`. Else: serial lines have
-- check bytes, and speak FIAS.
local function line_says(words)
  local told = described()
  return told and tostring(told):find(words, 1, true) ~= nil
end

local function with_carried(pinfo, sender, payload, has_lrc)
  if not pinfo.visited then
    carried[pinfo.number] = open[sender] or ""
    local bytes = carried[pinfo.number] .. payload:raw()
    local items = cut(bytes, has_lrc)
    local last = items[#items]
    open[sender] = last and last.kind == "open" and bytes:sub(last.first + 1) or ""
  end
  local before = carried[pinfo.number] or ""
  if before == "" then return payload end
  return ByteArray.new(before .. payload:raw(), true):tvb("FIAS over several packets")
end

function serial.dissector(tvb, pinfo, tree)
  if tvb:len() < RTAC_HEADER or not fias.prefs.serial then
    return rtacser:call(tvb, pinfo, tree)
  end
  rtacser:call(tvb(0, RTAC_HEADER):tvb(), pinfo, tree) -- without data: the data are ours
  local sender = SENDERS[tvb(8, 1):uint()]
  if not sender or tvb:len() == RTAC_HEADER then return tvb:len() end
  local has_lrc = not line_says("lrc=off")
  local bytes = with_carried(pinfo, sender, tvb(RTAC_HEADER):tvb(), has_lrc)
  local link = tree:add(fias, bytes(), "FIAS hotel link, " .. sender)
  link:add(f.sender, bytes(), sender):set_generated()
  pinfo.cols.protocol = "FIAS"
  pinfo.cols.info = sender .. "> " .. show(link, bytes, cut(bytes:raw(), has_lrc), line_says("protocol=mitel"))
  return tvb:len()
end

-- Where they are asked ------------------------------------------------------------------------

DissectorTable.get("tcp.port"):add_for_decode_as(fias)
DissectorTable.get("wtap_encap"):add(wtap.RTAC_SERIAL, serial)
