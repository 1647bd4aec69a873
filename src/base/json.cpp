#include "base/json.h"

#include "base/json_text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace berth::json {

const Value* Value::find(std::string_view key) const {
  for (const Member& member : object_) {
    if (member.first == key) return &member.second;
  }
  return nullptr;
}

const std::string& Value::text(std::string_view key) const {
  static const std::string kNone;
  const Value* member = find(key);
  return member != nullptr && member->is(Kind::string) ? member->text_ : kNone;
}

constexpr std::size_t kReasonBytesMax = 200;

/// Receives nlohmann's parse events (its SAX parser is iterative, so depth costs no stack) and builds the tree.
class Builder {
 public:
  explicit Builder(Limits limits) : limits_(limits) {}

  bool null() { return scalar(Value::Kind::null, 0, {}); }
  bool boolean(bool v) { return scalar(Value::Kind::boolean, v ? 1 : 0, {}); }
  bool number_integer(std::int64_t v) { return scalar(Value::Kind::integer, v, {}); }
  bool number_unsigned(std::uint64_t v) {
    if (v > static_cast<std::uint64_t>(INT64_MAX)) return scalar(Value::Kind::number, 0, std::to_string(v));
    return scalar(Value::Kind::integer, static_cast<std::int64_t>(v), {});
  }
  bool number_float(double, const std::string& text) { return scalar(Value::Kind::number, 0, text); }
  bool string(std::string& v) { return scalar(Value::Kind::string, 0, std::move(v)); }
  bool binary(nlohmann::json::binary_t&) { return false; }

  bool start_object(std::size_t) { return open(Value::Kind::object); }
  bool start_array(std::size_t) { return open(Value::Kind::array); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(std::string& name) {
    Frame& top = frames_.back();
    if (!top.keys.insert(name).second) return refuse("duplicate key \"" + name.substr(0, 64) + "\"");
    top.next_key = std::move(name);
    return count();
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& error) {
    constexpr int kOutOfRange = 406;
    if (error.id == kOutOfRange) return refuse("number out of range at byte " + std::to_string(position));
    // nlohmann's text: "[library] … while parsing value - REASON; last read: 'CONTENT'; expected …". The content is the
    // client's own and of any length: only the reason is passed on.
    std::string_view what = error.what();
    const std::size_t from = what.find(" - ");
    what = from == std::string_view::npos ? std::string_view() : what.substr(from + 3);
    const std::string reason(what.substr(0, std::min(what.find(';'), kReasonBytesMax)));
    return refuse("syntax error at byte " + std::to_string(position) + (reason.empty() ? "" : ": " + reason));
  }

  const std::string& error() const { return error_; }
  Value take() { return std::move(root_); }

 private:
  struct Frame {
    Value value;
    std::string next_key;
    std::set<std::string> keys;  // ordered: hash collisions can be made to order, long comparisons cannot
  };

  bool refuse(std::string why) {
    if (error_.empty()) error_ = std::move(why);
    return false;
  }
  bool count() {
    if (++elements_ > limits_.elements_max)
      return refuse("more than " + std::to_string(limits_.elements_max) + " values");
    return true;
  }
  bool open(Value::Kind kind) {
    if (frames_.size() >= limits_.depth_max) return refuse("nested deeper than " + std::to_string(limits_.depth_max));
    frames_.emplace_back();
    frames_.back().value.kind_ = kind;
    return count();
  }
  bool close() {
    Value done = std::move(frames_.back().value);
    frames_.pop_back();
    put(std::move(done));
    return true;
  }
  bool scalar(Value::Kind kind, std::int64_t integer, std::string text) {
    Value v;
    v.kind_ = kind;
    v.integer_ = integer;
    v.text_ = std::move(text);
    put(std::move(v));
    return count();
  }
  void put(Value v) {
    if (frames_.empty()) {
      root_ = std::move(v);
      return;
    }
    Frame& top = frames_.back();
    if (top.value.kind_ == Value::Kind::array) {
      top.value.array_.push_back(std::move(v));
    } else {
      top.value.object_.emplace_back(std::move(top.next_key), std::move(v));
    }
  }

  Limits limits_;
  std::vector<Frame> frames_;
  Value root_;
  std::size_t elements_ = 0;
  std::string error_;
};

Result<Value> parse(std::string_view text, Limits limits) {
  // The library would skip a byte order mark silently; two readers could then disagree about the same bytes (V3).
  if (text.starts_with("\xEF\xBB\xBF"))
    return fail(Errc::manifest_invalid, "JSON must not start with a byte order mark");
  // It also takes a NUL for the end of its input, and would not see what stands behind it.
  if (text.contains('\0')) return fail(Errc::manifest_invalid, "invalid JSON: NUL byte");
  Builder builder(limits);
  const bool ok = nlohmann::json::sax_parse(text.begin(), text.end(), &builder, nlohmann::json::input_format_t::json,
                                            /*strict=*/true, /*ignore_comments=*/false);
  if (!ok) return fail(Errc::manifest_invalid, "invalid JSON: " + builder.error());
  return builder.take();
}

void append(std::string& out, const Value& value) {
  switch (value.kind()) {
    case Value::Kind::null: out += "null"; return;
    case Value::Kind::boolean: out += value.boolean() ? "true" : "false"; return;
    case Value::Kind::integer: out += std::to_string(value.integer()); return;
    case Value::Kind::number: out += value.string(); return;
    case Value::Kind::string: append_json_string(out, value.string()); return;
    case Value::Kind::array: {
      out += '[';
      for (const Value& item : value.array()) {
        if (&item != &value.array().front()) out += ',';
        append(out, item);
      }
      out += ']';
      return;
    }
    case Value::Kind::object: {
      out += '{';
      bool first = true;
      for (const Value::Member& member : value.object()) {
        if (!first) out += ',';
        first = false;
        append_json_string(out, member.first);
        out += ':';
        append(out, member.second);
      }
      out += '}';
      return;
    }
  }
}

}  // namespace berth::json
