#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop there"
)]

use proptest::prelude::*;

use super::*;

#[test]
fn lines_are_read_as_they_are_for_the_server() {
    for (line, value) in [
        ("A=b", "b"),
        ("export A = b ", "b"),
        ("A=\"b # c\" # d", "b # c"),
        ("A='b'", "b"),
        ("A=b#c # d", "b#c"),
        ("A=", ""),
        ("A= # nothing", ""),
        ("A=b=c==", "b=c=="),
        ("A=b\r\n", "b"),
    ] {
        assert_eq!(read(line), Ok(vec![("A".into(), value.into())]), "{line}");
    }
    assert_eq!(read("# A=b\n\n"), Ok(Vec::new()));
}

#[test]
fn a_bad_line_is_named_and_not_shown() {
    for line in ["A", "=secret", "A B=secret", "A=\"secret", "A=\"sec\"ret"] {
        assert_eq!(read(&format!("X=1\n{line}\n")), Err(BadLine(2)), "{line}");
    }
}

#[test]
fn a_value_is_replaced_where_it_stands() {
    for (before, after) in [
        ("", "KEY=new\n"),
        ("A=1", "A=1\nKEY=new\n"),
        ("A=1\n", "A=1\nKEY=new\n"),
        ("KEY=old", "KEY=new"),
        ("KEY=old\nA=1\n", "KEY=new\nA=1\n"),
        ("KEY=\nA=1\n", "KEY=new\nA=1\n"),
        ("KEY=old # of 2024\n", "KEY=new # of 2024\n"),
        ("KEY= # unset\n", "KEY= new # unset\n"),
        ("KEY=#unset\n", "KEY=new #unset\n"),
        (
            "  export  KEY = 'o l d'\t# x\r\n",
            "  export  KEY = new\t# x\r\n",
        ),
        ("key=old\n", "key=new\n"),
        (
            "KEY=one\n#KEY=two\nKEY=\"three\"\n",
            "KEY=new\n#KEY=two\nKEY=new\n",
        ),
        (
            "# KEY=old\nKEYS=1\nMY_KEY=2\n",
            "# KEY=old\nKEYS=1\nMY_KEY=2\nKEY=new\n",
        ),
    ] {
        assert_eq!(
            set(before, "KEY", "new").as_deref(),
            Ok(after),
            "{before:?}"
        );
    }
}

#[test]
fn a_value_is_quoted_where_it_has_to_be() {
    for (value, line) in [
        (
            "https://k.example:8443/a_b-c",
            "K=https://k.example:8443/a_b-c\n",
        ),
        ("", "K=\n"),
        ("a b", "K='a b'\n"),
        ("a#b", "K='a#b'\n"),
        ("a$b", "K='a$b'\n"),
        ("it's", "K=\"it's\"\n"),
    ] {
        assert_eq!(set("", "K", value).as_deref(), Ok(line), "{value}");
    }
    for value in ["a\nb", "a\rb", "'\""] {
        assert_eq!(set("", "K", value), Err(Unwritable), "{value:?}");
    }
}

/// Lines as they stand in such files, good and bad.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-C]{1}=[a-z #'\"]{0,6}",
        "(export )?[A-C]{1} ?= ?('[a-z# ]{0,4}'|\"[a-z# ]{0,4}\"|[a-z]{0,4})( #[a-z]{0,3})?",
        "#[ -~]{0,10}",
        "[ \t]{0,3}",
        any::<String>(),
    ]
}

fn text() -> impl Strategy<Value = String> {
    let ends = prop_oneof![Just("\n"), Just("\r\n")];
    (prop::collection::vec((line(), ends), 0..8), any::<bool>()).prop_map(|(lines, is_cut)| {
        let text: String = lines.iter().flat_map(|(line, end)| [line, *end]).collect();
        if is_cut {
            text.trim_end_matches(['\n', '\r']).to_owned()
        } else {
            text
        }
    })
}

fn is_of(line: &str, name: &str) -> bool {
    let found = assignment(line).ok().flatten();
    found.is_some_and(|found| found.name.eq_ignore_ascii_case(name))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn other_lines_are_untouched_and_the_value_is_read_back(text in text(), value in "[ -~]{0,20}") {
        let Ok(edited) = set(&text, "A", &value) else {
            prop_assert!(value.contains('\'') && value.contains('"'));
            return Ok(());
        };
        let others = |text: &str| -> Vec<String> {
            let lines = text.split_inclusive('\n').map(|line| line.trim_end_matches(['\r', '\n']));
            lines.filter(|line| !is_of(line, "A")).map(str::to_owned).collect()
        };
        prop_assert_eq!(others(&text), others(&edited));
        if read(&text).is_ok() {
            let values = read(&edited).unwrap();
            let of_a: Vec<_> = values.iter().filter(|(name, _)| name == "A").collect();
            prop_assert!(!of_a.is_empty());
            prop_assert!(of_a.iter().all(|(_, read)| *read == value), "{}", edited);
        }
        // Doing it again changes nothing.
        prop_assert_eq!(set(&edited, "A", &value), Ok(edited));
    }

    #[test]
    fn nothing_makes_it_panic(text in any::<String>(), name in any::<String>(), value in any::<String>()) {
        let _ = read(&text);
        let _ = set(&text, &name, &value);
    }
}
