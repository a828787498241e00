//! The examples of `docs/cli.md` that need no server do what they say.

use crate::database::Stores;

#[test]
fn the_documented_examples_run() {
    let stores = Stores::new(&[("usr_alice", "tnt_acme", "alice@acme.example")]);
    let text = include_str!("../../../docs/cli.md");
    let mut count = 0;
    for block in text
        .split("<!-- run by cli/tests: documentation -->")
        .skip(1)
    {
        let (_, block) = block.split_once("```sh\n").unwrap();
        let (block, _) = block.split_once("```").unwrap();
        for line in block.lines() {
            stores
                .bench
                .run(line.strip_prefix("scaigate ").unwrap())
                .done();
            count += 1;
        }
    }
    assert_eq!(count, 3);
    let admins = "SELECT subject FROM person WHERE admin_role = 'super_admin'";
    assert_eq!(stores.text(admins).as_deref(), Some("usr_alice"));
}

#[test]
fn the_exit_codes_of_the_documentation_are_those_of_the_help() {
    let bench = crate::bench::Bench::new();
    let help = bench.run("--help");
    let documentation = include_str!("../../../docs/cli.md");
    for code in 0..=6 {
        let meaning = help
            .done()
            .lines()
            .find_map(|line| line.strip_prefix(&format!("  {code}  ")));
        let row = format!("| {code} | {}", meaning.unwrap());
        assert!(documentation.contains(&row), "{row}");
    }
}

#[test]
fn completions_are_made_for_every_shell() {
    let bench = crate::bench::Bench::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = bench.run(&format!("completions {shell}"));
        for command in ["scaikey-register", "grant", "webhooks"] {
            assert!(script.done().contains(command), "{shell}: {command}");
        }
    }
    assert_eq!(bench.run("completions tcl").code, 2);
}
