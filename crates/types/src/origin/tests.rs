use super::*;

fn own() -> BaseUrl {
    BaseUrl::parse("https://gate.example", false).expect("valid")
}

fn allowed() -> Vec<Origin> {
    vec![
        Origin::of("https://app.example/any").expect("valid"),
        Origin::of("http://127.0.0.1:5173").expect("valid"),
    ]
}

#[test]
fn return_addresses_on_our_origins_are_taken_as_given() {
    for (text, want) in [
        (
            "https://app.example/auth/callback?x=1",
            "https://app.example/auth/callback?x=1",
        ),
        ("http://127.0.0.1:5173/", "http://127.0.0.1:5173/"),
        (
            "/console?tab=users",
            "https://gate.example/console?tab=users",
        ),
        ("/", "https://gate.example/"),
        ("https://gate.example/x", "https://gate.example/x"),
        ("https://app.example:443/x", "https://app.example/x"),
    ] {
        let got = ReturnTo::parse(text, &own(), &allowed());
        assert_eq!(got.as_ref().map(ReturnTo::as_str), Ok(want), "{text}");
    }
}

#[test]
fn n_035_return_addresses_that_lead_elsewhere_are_refused() {
    for text in [
        "//evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/%09/evil.example",
        "/%2f%2fevil.example",
        "https:evil.example",
        "https:/evil.example",
        "https:///evil.example",
        "https://app.example@evil.example/",
        "https://user@app.example/",
        "https://app.example.evil.example/",
        "https://app.example%2eevil.example/",
        "https://app.example\u{3002}evil.example/",
        "https://app.example\r\nLocation: x",
        "ht\ttps://app.example/",
        "https://app.ex\tample/",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://",
        "",
        "app.example",
        "http://app.example/",
        "https://app.example:8443/",
        "https://@app.example/",
        "https://:@app.example/",
        "https://app.example:443@evil/",
        "https://xn--pp-hia.example/",
        "https://ápp.example/",
        "/\t/evil.example",
        " https://app.example/",
        "https://app.example\\@evil.example/",
        "http://127.0.0.1:5173@evil.example/",
        "//app.example/",
        "///",
        "https://2130706433:5173/",
        "http://0x7f.1:5173/",
        "http://127.1:5173/",
    ] {
        assert!(
            ReturnTo::parse(text, &own(), &allowed()).is_err(),
            "{text:?} was taken"
        );
    }
}

#[test]
fn n_036_a_domain_suffix_is_not_an_origin() {
    for text in [
        "https://evilapp.example/",
        "https://x.app.example/",
        "https://app.example.co/",
    ] {
        assert_eq!(
            ReturnTo::parse(text, &own(), &allowed()),
            Err(UrlError::ForeignOrigin),
            "{text}"
        );
    }
}

#[test]
fn a_return_address_takes_parameters_encoded() {
    let to = ReturnTo::parse("/cb?x=1", &own(), &allowed()).expect("ours");
    assert_eq!(
        to.with_query(&[("error", "a b&c")]),
        "https://gate.example/cb?x=1&error=a+b%26c"
    );
}

#[test]
fn base_urls_are_plain() {
    for (text, insecure, want) in [
        ("https://a.example/", false, Ok("https://a.example")),
        (
            "https://a.example/base/",
            false,
            Ok("https://a.example/base"),
        ),
        ("http://127.0.0.1:8080", false, Ok("http://127.0.0.1:8080")),
        ("http://localhost:8080/", false, Ok("http://localhost:8080")),
        ("http://a.example", false, Err(UrlError::Insecure)),
        ("http://a.example", true, Ok("http://a.example")),
        ("https://a.example?x", false, Err(UrlError::Extra)),
        ("https://u:p@a.example", false, Err(UrlError::Extra)),
        ("ftp://a.example", true, Err(UrlError::Form)),
        ("", true, Err(UrlError::Text)),
    ] {
        let got = BaseUrl::parse(text, insecure);
        assert_eq!(
            got.as_ref().map(BaseUrl::as_str).map_err(|e| *e),
            want,
            "{text}"
        );
    }
}

#[test]
fn a_host_is_not_encoded() {
    for text in [
        "https://%61pp.example/",
        "https://app%2eexample",
        "https://APP.example%CA/",
    ] {
        assert_eq!(Origin::of(text), Err(UrlError::Form), "{text}");
    }
    assert!(Origin::of("https://app.example/%61?%61#%61").is_ok());
}

#[test]
fn what_is_taken_is_taken_again() {
    let path = |filler: &str, count| format!("/{}", filler.repeat(count));
    let long = path("x", MAX_URL - "https://gate.example/".len());
    let taken = ReturnTo::parse(&long, &own(), &allowed()).expect("as long as may be");
    assert_eq!(
        ReturnTo::parse(taken.as_str(), &own(), &allowed()),
        Ok(taken)
    );
    // Encoded, `<` is three characters.
    let grows = path("<", MAX_URL / 2);
    assert_eq!(
        ReturnTo::parse(&grows, &own(), &allowed()),
        Err(UrlError::Text)
    );
}
