//! What clients are told of the tools.

use super::*;

fn definitions() -> Vec<Tool> {
    TOOLS.iter().map(|entry| (entry.definition)()).collect()
}

#[test]
fn the_list_of_tools_is_short() {
    // By the vocabulary o200k_base 9,607 bytes of it are 2,366 tokens, of at most 2,500.
    let size = serde_json::to_string(&definitions()).unwrap().len();
    assert!(size <= 9_750, "{size} bytes");
}

#[test]
fn tools_say_what_they_do_to_the_tree() {
    for tool in definitions() {
        let told = tool.annotations.unwrap();
        assert_eq!(told.read_only_hint, Some(tool.name != "index_workspace"), "{}", tool.name);
        assert_eq!(
            (told.destructive_hint, told.open_world_hint),
            (Some(false), Some(false)),
            "{}",
            tool.name
        );
        assert!(tool.description.is_some_and(|text| text.len() < 300), "{}", tool.name);
        assert!(tool.output_schema.is_some());
    }
}

/// What a schema lets through is understood, argument by argument, and nothing else is.
#[tokio::test]
async fn schemas_say_what_is_understood() {
    let folder = tempfile::tempdir().unwrap();
    let server = crate::ServerConfig {
        tree: crate::TreeChoice::This(folder.path().to_owned()),
        database: None,
        configure: Arc::new(|_, _| Err("nothing is to be opened".into())),
        follow: false,
    };
    let workspace = Arc::new(Workspace::of(folder.path(), &server, &CancelToken::new()).unwrap());
    for entry in TOOLS.iter().filter(|entry| !entry.ends_by_itself) {
        let tool = (entry.definition)();
        let properties = tool.input_schema["properties"].as_object().unwrap().clone();
        let example = |name: &str| match &properties[name] {
            schema if schema.get("enum").is_some() => schema["enum"][0].clone(),
            schema => match schema["type"].as_str().unwrap() {
                "integer" => schema.get("default").cloned().unwrap_or(json!(1)),
                "boolean" => json!(true),
                "array" => json!([]),
                _ if name == "cursor" => Value::Null,
                _ => json!("name"),
            },
        };
        let required: Vec<&str> = tool.input_schema.get("required").map_or(Vec::new(), |names| {
            names.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
        });
        let given = |names: &[&str]| {
            let names = required.iter().chain(names).copied();
            let arguments: JsonObject = names.map(|name| (name.to_owned(), example(name))).collect();
            let call =
                Call { workspace: workspace.clone(), arguments, cancel: CancelToken::new(), progress: None };
            (entry.call)(call)
        };
        for name in properties.keys() {
            // There is no index, which is found out when the arguments were understood.
            if let Err(Failure::Arguments(wrong)) = given(&[name]).await {
                panic!("{}: {name}: {wrong}", tool.name);
            }
        }
        let unknown: JsonObject = required
            .iter()
            .map(|name| ((*name).to_owned(), example(name)))
            .chain([("gizmo".to_owned(), json!(1))])
            .collect();
        let call = Call {
            workspace: workspace.clone(),
            arguments: unknown,
            cancel: CancelToken::new(),
            progress: None,
        };
        let refused = (entry.call)(call).await.unwrap_err().to_string();
        assert!(refused.contains("gizmo"), "{}: {refused}", tool.name);
    }
}
