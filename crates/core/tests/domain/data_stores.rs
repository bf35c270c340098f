//! Data stores: which there are, and who may name a directory.

use ovhai_core::Error;
use ovhai_core::platform::StoreAccess;
use ovhai_core::policy::Effect;

use crate::harness::World;

fn is_forbidden<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Denied(decision)) if decision.effect == Effect::Forbidden)
}

#[tokio::test(start_paused = true)]
async fn data_stores_are_there_from_the_start_and_can_be_added() {
    let w = World::automatic().await;
    let names = || -> Vec<String> {
        let all = w.platform.data_stores(&w.admin).unwrap();
        all.iter().map(|store| store.alias.clone()).collect()
    };
    assert_eq!(names(), ["local", "S3GRA", "GRA", "S3BHS", "BHS"]);
    let operator = w.operator().await;
    w.platform.add_data_store(&operator, "more", None).await.unwrap();
    assert_eq!(names().last().unwrap(), "more");
    let found = w.platform.data_store(&operator, "MORE", StoreAccess::Write).unwrap();
    assert_eq!((found.alias.as_str(), found.is_owner_named()), ("more", false));
    for taken in ["More", "local", "s3gra"] {
        let again = w.platform.add_data_store(&w.admin, taken, None).await;
        assert!(matches!(again, Err(Error::Exists { .. })), "{taken}: {again:?}");
    }
    for bad in ["", "a/b", "..", ".a", "-a", "a b", &"a".repeat(64)] {
        let added = w.platform.add_data_store(&w.admin, bad, None).await;
        assert!(matches!(added, Err(Error::Invalid { .. })), "{bad}: {added:?}");
    }
    w.platform.remove_data_store(&operator, "MORE").await.unwrap();
    assert_eq!(names().len(), 5);
    let gone = w.platform.remove_data_store(&w.admin, "more").await;
    assert!(matches!(gone, Err(Error::NotFound { .. })));
    assert!(w.platform.remove_data_store(&w.admin, "GRA").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn only_the_owner_names_a_directory_of_this_machine() {
    let w = World::automatic().await;
    let operator = w.operator().await;
    let directory = || Some("/srv/data".to_owned());
    assert!(is_forbidden(&w.platform.add_data_store(&operator, "d", directory()).await));
    w.platform.add_data_store(&w.admin, "d", directory()).await.unwrap();
    // In the place of one that is there from the start.
    w.platform.add_data_store(&w.admin, "gra", directory()).await.unwrap();
    for alias in ["d", "GRA"] {
        let found = w.platform.data_store(&operator, alias, StoreAccess::Read).unwrap();
        assert_eq!(found.directory.as_deref(), Some("/srv/data"));
        assert!(is_forbidden(&w.platform.data_store(&operator, alias, StoreAccess::Write)));
        assert!(w.platform.data_store(&w.admin, alias, StoreAccess::Write).is_ok());
        assert!(is_forbidden(&w.platform.remove_data_store(&operator, alias).await));
    }
    w.platform.remove_data_store(&w.admin, "gra").await.unwrap();
    assert!(!w.platform.data_store(&operator, "gra", StoreAccess::Write).unwrap().is_owner_named());
    let refused = w.platform.add_data_store(&w.admin, "e", Some("/refused".into())).await;
    assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
}
