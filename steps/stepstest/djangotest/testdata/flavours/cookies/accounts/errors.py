from rest_framework.views import exception_handler as default_handler


def exception_handler(exc, context):
    """Gives every error one shape: the code moves into error.type."""
    response = default_handler(exc, context)
    if response is None:
        return None
    code = ''
    if isinstance(response.data, dict):
        code = response.data.get('code', '')
    response.data = {
        'error': {'type': str(code or getattr(exc, 'default_code', 'error')), 'message': 'The request was refused.'},
        'status': response.status_code,
    }
    return response
