"""Tests of the lint checks themselves: small sources with and without a fault. Run by every ./dev lint."""

import check_bans
import check_coroutines
import check_layers
import rule_coverage
from cpp_source import Source

LAYERS = {"base": 0, "io": 1, "crypto": 1, "meta": 3, "api": 7, "app": 8, "cli": 9}


def messages(findings):
    return [finding.message for finding in findings]


def expect(what, found, count):
    assert len(found) == count, f"{what}: expected {count} findings, got {found}"


def header(body, path="src/base/x.h"):
    return Source(path, "#pragma once\n" + body)


def test_text_without_comments_and_strings():
    source = Source("src/base/x.cpp", 'int a = 1\'000; // new\nauto s = R"(delete)" "new"; char c = \'"\'; /* new\n */ int b;\n')
    assert "new" not in source.code and "delete" not in source.code
    assert source.code.count("\n") == source.text.count("\n") and len(source.code) == len(source.text)
    assert "int b" in source.code and "delete" in source.code_and_strings and source.comments.count("new") == 2


def test_layers():
    def check(path, text):
        sources = [Source(path, text), Source("src/base/a.h", ""), Source("src/crypto/c.h", ""), Source("src/api/e.h", "")]
        return messages(f for f in check_layers.check_sources(sources, LAYERS) if f.path == path)
    expect("downwards", check("src/api/x.cpp", '#include "base/a.h"\n#include "api/e.h"\n#include <vector>\n'), 0)
    expect("upwards", check("src/io/x.cpp", '#include "api/e.h"\n'), 1)
    expect("sideways", check("src/io/x.cpp", '#include "crypto/c.h"\n'), 1)
    expect("not from src/", check("src/api/x.cpp", '#include "e.h"\n'), 1)
    expect("missing", check("src/api/x.cpp", '#include "base/none.h"\n'), 1)
    expect("foreign", check("src/api/x.cpp", "#include <sqlite3.h>\n#include <boost/asio/post.hpp>\n"), 2)
    expect("foreign at home", check("src/io/x.cpp", "#include <boost/asio/post.hpp>\n"), 0)
    expect("in a comment", check("src/io/x.cpp", '// #include "api/e.h"\n'), 0)
    expect("unknown room", check("src/misc/x.cpp", ""), 1)
    expect("links", messages(check_layers.check_links("berth_room(io DEPS base api LIBS x)\n", LAYERS)), 1)


def test_bans():
    def check(text, path="src/meta/x.cpp"):
        return messages(check_bans.check([Source(path, text)]))
    for text in ("std::regex r;", "auto* p = new int;", "delete p;", "std::this_thread::sleep_for(x);", "catch (...) {}",
                 "auto t = std::chrono::system_clock::now();", 'std::printf("x");', "std::abort();", "  exit(1);",
                 "if (x == 404) {}", "std::mutex m_;", "// TODO later", "using namespace std;", "class BlobManager {};",
                 'std::getenv("X");', "std::thread t;", "timer.async_wait(detached);"):
        expect(text, check(text + "\n"), 1)
    for text in ("X(const X&) = delete;", "// a new delete", 'log("new delete exit(1)");', "std::mutex m_;  // guards: map_",
                 "// guards: map_\nstd::mutex m_;", "store.abort(id);", "Result<void> abort(Id id);", "int x = 404'000;",
                 "auto* p = new (at) T;  // allowed(new): placement into the ring",
                 "using namespace std::chrono_literals;", 'auto q = "SELECT a FROM b";', "std::snprintf(b, n, f);",
                 "std::unique_ptr<Store> store(new Store(a));"):
        expect(text, check(text + "\n"), 0)
    expect("sql outside", check('auto q = "SELECT a FROM b";\n', "src/api/x.cpp"), 1)
    for text in ("if (call.identity.subject.is_admin) {}", "if (maker->is_admin) {}", "auto r = meta::find_role(db, ns, id);",
                 "if (role == meta::Role::owner) {}", "case auth::Cause::Kind::role: return {};"):
        expect("office outside", check(text + "\n", "src/api/x.cpp"), 1)
        expect("office at home", check(text + "\n", "src/auth/x.cpp"), 0)
    expect("what an account is, shown", check('out.boolean("admin", user.is_admin);\n', "src/api/x.cpp"), 0)
    expect("status in api", check("x = 404;\n", "src/api/x.cpp"), 0)
    expect("pragma once", check("int x;\n", "src/meta/x.h"), 1)
    expect("vague file", check("int x;\n", "src/meta/string_utils.cpp"), 1)


def test_coroutines():
    listed = {"Exchange", "BlobStore"}
    def check(text):
        return messages(check_coroutines.check([header(text)], listed))
    for text in ("io::Task<void> f(std::string_view name);", "Task<int> f(const Digest& d);", "Task<int> f(Digest& d);",
                 "io::Task<Result<std::vector<int>>> C::f(std::span<const int> s) {", "Task<> f(std::string&& s);",
                 "auto f = [](std::string_view s) -> io::Task<void> { co_return; };", "Task<> f(const char* s);",
                 "io::Task<void> f(Exchange& ex,\n                 const Options& options = {});",
                 "Task<> f(std::optional<std::string_view> s);", "Task<> f(const BlobStore& s);"):
        expect(text, check(text + "\n"), 1)
    for text in ("io::Task<void> f(Exchange& ex, std::string name, std::vector<int> rows);", "Task<int> f();",
                 "virtual io::Task<Result<std::size_t>> read(std::span<std::byte> out) = 0;",
                 "io::Task<void> f(blob::BlobStore& store, std::map<int, std::string> m = {});",
                 "Result<int> f(std::string_view s);", "using Handler = std::function<io::Task<void>(Exchange&)>;",
                 "io::Task<void> f(std::string_view s);  // borrows: forwards, no coroutine",
                 "auto f = [this](std::string s) mutable -> Task<void> { co_return; };"):
        expect(text, check(text + "\n"), 0)


def test_functions_and_sizes():
    source = Source("src/base/x.cpp", "\n".join([
        "namespace berth {", "constexpr int kRows[] = {", "1, 2};", "Foo::Foo(int a)", "    : a_{a},", "      b_{2} {",
        "  if (a) { go(); }", "}", "struct S {", "  int x{0};", "  int get() const {", "    return x;", "  }", "};",
        "enum class E { a, b };", "template <class T>", "T f(T t = {}) {", "  return [&] { return t; }();", "}", "}"]) + "\n")
    found = [(f.name, f.first_line, f.last_line) for f in source.functions]
    assert found == [("Foo::Foo", 4, 8), ("get", 11, 13), ("f", 16, 19)], found


def test_rules():
    rules = {"V1": "", "V7": "", "U4": "", "U5": "", "M2": ""}
    source = Source("src/oci/x_test.cpp", '// V7: a missing layer\nTEST(Upload, M2LimitIsInclusive) { f("V1"); }\n')
    found = rule_coverage.citations(rules, [source], [("tests/a.http", "# U4–U5")])
    assert [rule for rule in rules if not found[rule]] == ["V1"], found


def run():
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test()


if __name__ == "__main__":
    run()
