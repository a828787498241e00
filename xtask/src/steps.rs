//! What `cargo xtask up` prints: where things are, and a sign-in step by step.

/// The seeded person who signs in.
const PERSON: &str = "alice@acme.example";

/// The text for an application at `url`, with the URLs of the emulators of ScaiKey and ScaiGrid when they
/// are there.
pub fn text(url: &str, emulators: Option<&(String, String)>) -> String {
    let mut text = format!("\nscaigate          {url}\n");
    match emulators {
        Some((emulator, grid)) => {
            text += &format!(
                "ScaiKey emulator  {emulator}\nScaiGrid emulator {grid}\n\n\
                 People: {PERSON} (tenant admin), bob@acme.example, sybil@umbra.example and others;\n\
                 everybody's password is `password`.\n"
            );
            text += &sign_in(url, emulator);
        }
        None => {
            text += &format!("\nThe public configuration:\n\n  curl -s {url}/v1/auth/config\n");
        }
    }
    text + "\nCtrl-C stops everything.\n"
}

fn sign_in(url: &str, emulator: &str) -> String {
    format!(
        r#"
A sign-in, step by step (paste into a shell):

  # 1. What a client needs to know.
  curl -s {url}/v1/auth/config; echo

  # 2. Begin. The cookie ties the login to this browser.
  field() {{ sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p"; }}
  jar=$(mktemp)
  login=$(curl -s -c "$jar" -H 'content-type: application/json' -d '{{"login_hint":"{PERSON}"}}' {url}/v1/auth/login); echo "$login"

  # 3. Sign in at ScaiKey: open the authorize_url in a browser, or send its form from here.
  flow=$(curl -s "$(echo "$login" | field authorize_url)" | sed -n 's/.*name="flow" value="\([^"]*\)".*/\1/p')
  back=$(curl -s -o /dev/null -w '%{{redirect_url}}' -d "flow=$flow" -d email={PERSON} -d password=password {emulator}/login); echo "$back"

  # 4. The callback sends the browser home with a one-shot session code.
  home=$(curl -s -b "$jar" -o /dev/null -w '%{{redirect_url}}' "$back"); echo "$home"

  # 5. Redeem the code for a session.
  code=$(echo "$home" | sed 's/.*session_code=\([^&]*\).*/\1/')
  session=$(curl -s -H 'content-type: application/json' -d "{{\"session_code\":\"$code\"}}" {url}/v1/auth/token); echo "$session"

  # 6. Who am I?
  curl -s -H "authorization: Bearer $(echo "$session" | field access_token)" {url}/v1/me; echo

  # 7. What ScaiGrid offers me.
  curl -s -H "authorization: Bearer $(echo "$session" | field access_token)" {url}/v1/scaigrid/models; echo
"#
    )
}
