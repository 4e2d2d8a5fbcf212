//! How the databases are, over the API and on the operator's page.

use crate::harness::Portal;

#[tokio::test]
async fn an_operator_sees_how_the_databases_are_and_whose_are_busy() {
    let furnished = Portal::furnished().await;
    let (portal, operator) = (&furnished.portal, &furnished.operator);
    operator.get(portal, "/organisations/northwind/devices").await.expect(200);
    let answer = operator.get(portal, "/database?statements=3&leases=0").await;
    let status = answer.expect(200);
    assert_eq!((&status["engine"], &status["state"]), (&"sqlite".into(), &"fine".into()));
    let kinds = status["kinds"].as_array().unwrap();
    assert_eq!(kinds.iter().map(|kind| &kind["kind"]).collect::<Vec<_>>(), ["system", "tenant"]);
    for kind in kinds {
        let roles: Vec<_> = kind["pools"].as_array().unwrap().iter().map(|pools| &pools["role"]).collect();
        assert_eq!(roles, ["write", "read"]);
        assert_eq!(kind["statements"].as_array().unwrap().len(), 3);
        assert!(kind["transactions"]["took"]["count"].as_u64().unwrap() > 0);
        for pools in kind["pools"].as_array().unwrap() {
            assert_eq!((&pools["active"], &pools["waiting"]), (&0.into(), &0.into()), "{pools}");
            assert_eq!(pools["waited"]["count"], pools["used"]["count"], "{pools}");
        }
    }
    let names: Vec<_> = status["organisations"].as_array().unwrap().iter().map(|one| &one["organisation"]).collect();
    assert!(names.iter().any(|one| one["slug"] == "northwind" && one["name"].is_string()), "{names:?}");
    assert_eq!(status["leases"].as_array().unwrap().len(), 0);
    assert_eq!(status["suspicions_counted"]["idle_in_hand"], 0);
}

#[tokio::test]
async fn limits_of_the_lists_are_refused_by_their_names() {
    let furnished = Portal::furnished().await;
    let answer = furnished.operator.get(&furnished.portal, "/database?statements=101&slow_statements=many").await;
    assert_eq!(answer.problem(422), "invalid");
    let refused: Vec<String> = answer.refused_fields().into_iter().map(|(field, _)| field).collect();
    assert_eq!(refused, ["statements", "slow_statements"]);
}
