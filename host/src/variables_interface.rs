//! `spin:variables/variables@3.0.0`.

use wasmtime::component::{Accessor, Linker};

use crate::abi::VariablesError;
use crate::faults::{Target, Verdict};
use crate::instance::InstanceData;
use crate::variables::VariableError;

pub(crate) fn add_to_linker(linker: &mut Linker<InstanceData>) -> wasmtime::Result<()> {
    linker
        .instance("spin:variables/variables@3.0.0")?
        .func_wrap_concurrent("get", |accessor, (name,): (String,)| {
            Box::pin(async move { Ok((get(accessor, name).await,)) })
        })
}

async fn get(accessor: &Accessor<InstanceData>, name: String) -> Result<String, VariablesError> {
    let component = accessor.with(|mut access| access.data_mut().component.clone());
    match component
        .meet(Target::Variable(name.clone()), "get", "")
        .await
    {
        Verdict::Refuse | Verdict::LoseAnswer => {
            return Err(VariablesError::Provider("injected fault".to_owned()));
        }
        Verdict::Proceed | Verdict::CutBody(_) => {}
    }
    component.variables.get(&name).map_err(|error| match error {
        VariableError::InvalidName(message) => VariablesError::InvalidName(message),
        VariableError::Undefined(message) => VariablesError::Undefined(message),
    })
}
