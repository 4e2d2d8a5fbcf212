//! What readers get to see.

use proptest::prelude::*;
use time::macros::datetime;
use warren_model::Role;

use super::{letter::ImportCounts, *};

fn letters() -> Letters {
    Letters::new(Some("https://vpn.example.org/".parse().unwrap()))
}

fn link() -> Link {
    "https://vpn.example.org/invitation#token".parse().unwrap()
}

fn invitation(organisation: &str, from: &str) -> Letter {
    Letter::Invitation {
        organisation: organisation.to_owned(),
        role: Role::Admin,
        link: link(),
        expires: datetime!(2026-12-04 14:30 UTC),
        from: Some(from.to_owned()),
    }
}

#[test]
fn a_letter_reads_well_as_plain_text() {
    let rendered = letters().render(&Letter::samples()[0], Language::English, 0).unwrap();
    assert_eq!(rendered.subject, "Your invitation to Northwind Traders");
    assert_eq!(
        rendered.text,
        "Northwind Traders\n\n\
         Anna Lindqvist invites you to join Northwind Traders: add your devices, and reach its networks from anywhere.\n\n\
         Accept the invitation:\n\
         https://vpn.example.org/invitation#H1o2u3s4e5O6f7T8h9e0Q1u2i3c4k5B6r7o8w9n0F1o\n\n\
         The link works once, until 4 December 2026, 14:30 UTC.\n\
         You did not expect this? Then leave it alone; nothing happens without the link.\n\n\
         -- \nWarren at vpn.example.org wrote this mail.\n"
    );
    let rendered = letters().render(&Letter::samples()[3], Language::German, 0).unwrap();
    assert_eq!(rendered.subject, "„people.csv“ ist zum Teil importiert – Northwind Traders");
    assert!(rendered.text.contains("\n\nNeu: 118\nGeändert: 4\nAusgelassen: 3\n\n"), "{}", rendered.text);
}

#[test]
fn both_forms_of_each_letter_say_the_same_in_each_language() {
    for (language, letter) in
        Language::ALL.iter().flat_map(|language| Letter::samples().into_iter().map(|letter| (*language, letter)))
    {
        let rendered = letters().render(&letter, language, 2).unwrap();
        let content = content::compose(&letter, language, letters().site.as_ref(), 2);
        let mut said = vec![&content.brand, &content.foot];
        said.extend(content.paragraphs.iter().chain(&content.notes));
        said.extend(content.facts.iter().flat_map(|fact| [&fact.label, &fact.value]));
        said.extend(content.action.iter().flat_map(|action| [&action.label, &action.link]));
        for words in said {
            assert!(rendered.text.contains(words.as_str()), "{words}");
            let escaped =
                words.replace('&', "&amp;").replace('"', "&quot;").replace('\'', "&#x27;").replace('/', "&#x2f;");
            assert!(rendered.html.contains(&escaped), "{escaped} in {}", rendered.html);
        }
        assert!(rendered.html.contains(&format!("<html lang=\"{}\"", language.tag())));
        assert!(!rendered.text.contains("\n\n\n"), "{}", rendered.text);
    }
}

#[test]
fn a_report_says_how_many_files_go_with_it() {
    let text = |count| letters().render(&Letter::samples()[1], Language::English, count).unwrap().text;
    assert!(!text(0).contains("attached"));
    assert!(text(1).contains("It is attached to this mail."));
    assert!(text(3).contains("in 3 files."));
}

#[test]
fn an_import_tells_how_it_ended() {
    let subject = |skipped, refused| {
        let counts = ImportCounts { created: 1, changed: 0, skipped, refused };
        let letter = Letter::ImportFinished { organisation: "a".into(), file: "b.csv".into(), counts, link: link() };
        letters().render(&letter, Language::English, 0).unwrap().subject
    };
    assert_eq!(subject(0, 0), "“b.csv” is imported – a");
    assert_eq!(subject(2, 0), "“b.csv” is imported in part – a");
    assert_eq!(subject(0, 2), "“b.csv” is not imported – a");
}

#[test]
fn markup_in_a_value_stays_text() {
    let rendered =
        letters().render(&invitation("<b>A</b> & \"B\"", "<script>x</script>"), Language::English, 0).unwrap();
    assert!(rendered.html.contains("&lt;b&gt;A&lt;"), "{}", rendered.html);
    assert!(!rendered.html.contains("<b>") && !rendered.html.contains("<script"));
    assert!(rendered.text.contains("<b>A</b> & \"B\""));
}

#[test]
fn a_layout_that_asks_for_what_no_letter_has_fails() {
    let mut letters = letters();
    letters.layouts.add_template(TEXT, "{{ nothing_of_that_name }}").unwrap();
    let refused = letters.render(&Letter::samples()[5], Language::English, 0).unwrap_err();
    assert!(matches!(refused, Unfit::Layout(_)), "{refused}");
}

#[test]
fn braces_of_the_catalogue_and_the_layout_in_a_value_stay_text() {
    let rendered = letters().render(&invitation("{ $from } {{ foot }} {% x %}", "a"), Language::English, 0).unwrap();
    assert_eq!(rendered.subject, "Your invitation to { $from } {{ foot }} {% x %}");
    assert!(rendered.text.contains("to join { $from } {{ foot }} {% x %}"));
}

proptest! {
    #[test]
    fn no_value_makes_a_line_or_an_element_of_its_own(organisation in any::<String>(), from in any::<String>()) {
        let plain = letters().render(&invitation("x", "y"), Language::English, 0).unwrap();
        let rendered = letters().render(&invitation(&organisation, &from), Language::English, 0).unwrap();
        prop_assert!(!rendered.subject.chars().any(char::is_control));
        prop_assert_eq!(rendered.text.lines().count(), plain.text.lines().count());
        prop_assert_eq!(rendered.html.matches('<').count(), plain.html.matches('<').count());
        prop_assert_eq!(rendered.html.matches('"').count(), plain.html.matches('"').count());
    }

    #[test]
    fn one_line_is_one_line_of_bounded_length(text in any::<String>()) {
        let line = one_line(&text);
        prop_assert!(line.chars().count() <= VALUE_CHARACTERS_MAX);
        prop_assert!(!line.chars().any(char::is_control));
        prop_assert_eq!(one_line(&line), line);
    }
}
