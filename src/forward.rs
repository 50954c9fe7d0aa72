//! How a trait forwards through `Arc` and `Box`, so that a shared or boxed value is as good as the value.

/// Implements an object-safe async trait for `Arc<T>` and `Box<T>`, sized or not.
macro_rules! forward {
    ($trait:ident $methods:tt) => {
        crate::forward::forward! { @impl Arc, $trait $methods }
        crate::forward::forward! { @impl Box, $trait $methods }
    };
    (@impl $pointer:ident, $trait:ident {
        $(fn $plain:ident(&self $(, $plain_arg:ident: $plain_ty:ty)*) $(-> $plain_answer:ty)?;)*
        $(async fn $name:ident(&self $(, $arg:ident: $ty:ty)* $(,)?) $(-> $answer:ty)?;)*
    }) => {
        #[async_trait::async_trait]
        impl<T: $trait + ?Sized> $trait for $pointer<T> {
            $(
                fn $plain(&self $(, $plain_arg: $plain_ty)*) $(-> $plain_answer)? {
                    (**self).$plain($($plain_arg),*)
                }
            )*
            $(
                async fn $name(&self $(, $arg: $ty)*) $(-> $answer)? {
                    (**self).$name($($arg),*).await
                }
            )*
        }
    };
}
pub(crate) use forward;
