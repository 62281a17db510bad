use serde_json::json;

use super::Params;

#[test]
fn nested_brackets_become_groups_and_lists() {
    let params = Params::decode(
        "line_items%5B0%5D%5Bprice_data%5D%5Bunit_amount%5D=2999&line_items[0][quantity]=1\
         &line_items[10][quantity]=3&line_items[2][quantity]=2&expand[]=customer&expand[]=payment_intent&metadata[a+b]=c%26d",
    )
    .unwrap();
    let root = params.root();
    let items = root.child("line_items").items().unwrap();
    let quantities: Vec<_> =
        items.iter().map(|item| item.child("quantity").integer().unwrap().unwrap()).collect();
    assert_eq!(quantities, [1, 2, 3]);
    let amount = items[0].child("price_data").child("unit_amount");
    assert_eq!(
        (amount.integer().unwrap(), amount.path()),
        (Some(2999), "line_items[0][price_data][unit_amount]")
    );
    assert_eq!(root.child("expand").texts().unwrap(), ["customer", "payment_intent"]);
    assert_eq!(root.child("metadata").metadata(&json!({})).unwrap(), json!({"a b": "c&d"}));
}

#[test]
fn broken_names_are_refused() {
    for encoded in
        ["[a]=1", "a[b=1", "a[b]c=1", "a=1&a[b]=2", "a[b]=1&a=2", "a=%FF", "a[1][1][1][1][1][1][1][1][1]=1"]
    {
        assert!(Params::decode(encoded).is_err(), "{encoded}");
    }
    assert!(Params::decode(&vec!["a=1"; 1_001].join("&")).is_err());
}

#[test]
fn the_order_on_the_wire_does_not_change_the_canonical_text() {
    let one = Params::decode("a=1&b[c]=2&b[d]=3").unwrap();
    let other = Params::decode("b[d]=3&b[c]=2&a=1").unwrap();
    let different = Params::decode("a=1&b[c]=2&b[d]=4").unwrap();
    assert_eq!(one.canonical(), other.canonical());
    assert_ne!(one.canonical(), different.canonical());
}

#[test]
fn an_empty_value_removes_a_metadata_key() {
    let params = Params::decode("metadata[a]=&metadata[b]=2").unwrap();
    let merged = params.root().child("metadata").metadata(&json!({"a": "1", "c": "3"})).unwrap();
    assert_eq!(merged, json!({"b": "2", "c": "3"}));
}
